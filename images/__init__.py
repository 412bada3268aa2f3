"""The image set ``packages``: images built from package registries, for machines that reach no image registry.

Each directory below is one image: ``Dockerfile`` and its files are the build context, ``recipe.py`` says
what else belongs into that context, ``go/`` pins the Go modules of what is compiled.
"""
