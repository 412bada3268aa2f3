"""Plans of HTTP requests as data; ``apply.py`` beside this file carries them out inside a container."""

from typing import Any


def secret(name: str) -> dict[str, str]:
    """Stand in a request's body for the content of the secret file ``name``: the plan itself holds none."""
    return {"$secret": name}


def request(
    name: str, method: str, path: str, body: Any = None, *, expect: tuple[int, ...] = (200, 201), **more: Any
) -> dict[str, Any]:
    """One request of a plan.

    Args:
        name: what the step's log calls it.
        method: HTTP method.
        path: path and query below the plan's ``base_url``.
        body: sent as JSON; ``secret(...)`` anywhere inside is filled in when it is sent.
        expect: status codes that mean success.
        more: ``headers``; ``unless`` (a path whose GET answers 200 when there is nothing to do);
            ``file`` (name and lines of an upload, instead of a body).
    """
    made: dict[str, Any] = {"name": name, "method": method, "path": path, "expect": list(expect), **more}
    if body is not None:
        made["body"] = body
    return made
