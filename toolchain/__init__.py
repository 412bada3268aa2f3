"""Bootstrap of the platform: everything between a bare machine and ``pulumi up``.

Each module provides one thing (the Python environment, the engine, the Pulumi CLI, the stack) and does
nothing when the thing is there already. What runs before the Python environment exists uses the standard
library alone.
"""
