"""Every name and label that users' scripts and the tests rely on, in one place."""

TOKEN = "mlops-observability:index:"
"""What the type tokens of all components start with."""

LABEL_PROJECT = "mlops.project"
LABEL_STACK = "mlops.stack"
LABEL_SERVICE = "mlops.service"
ROLE = "mlops.role"
ONE_SHOT = "one-shot"
LONG_RUNNING = "service"


def physical_name(stack: str, *parts: str) -> str:
    """The name that the engine knows a container, volume or network by: ``<stack>-<part>…``."""
    return "-".join((stack, *parts))
