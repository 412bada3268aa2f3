"""The image set ``packages``: built from package registries, for machines without an image registry.

Each directory below is one image: ``Dockerfile`` and its files are the build context, ``recipe.py`` says
what else belongs into that context, ``go/`` pins the Go modules of what is compiled.
"""
