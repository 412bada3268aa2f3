"""Where every container finds its secrets."""

DIRECTORY = "/run/secrets"


def secret_path(name: str) -> str:
    """The path of the secret file ``name`` in its container."""
    return f"{DIRECTORY}/{name}"
