"""Bootstrap of the platform: everything between a bare machine and ``pulumi up``.

Runs on Python's standard library alone, since it is what installs the rest. Each module provides one
thing (the Python environment, the engine, the Pulumi CLI, the images, the stack) and does nothing when
the thing is there already.
"""
