"""What the engine holds of a stack, found by its labels."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import docker
from docker.models.containers import Container

from components.naming import LABEL_SERVICE, LABEL_STACK
from units import MIB

_COLUMNS = ("SERVICE", "STATE", "HEALTH", "MEMORY", "PORTS")


def status_table(stack: str) -> str:
    """Return a table of the stack's containers: state, health, memory in MiB of the limit, ports."""
    client = docker.from_env()
    try:
        found = client.containers.list(all=True, filters={"label": f"{LABEL_STACK}={stack}"})
        with ThreadPoolExecutor() as pool:
            rows = sorted(pool.map(_row, found))
    finally:
        client.close()
    if not rows:
        return f"The stack {stack} has no containers; `make up STACK={stack}` starts it."
    return _aligned([_COLUMNS, *rows])


def remains(stack: str) -> list[str]:
    """Name the containers, networks and volumes that still bear the stack's label."""
    client = docker.from_env()
    try:
        query = {"label": f"{LABEL_STACK}={stack}"}
        return [
            *(f"container {each.name}" for each in client.containers.list(all=True, filters=query)),
            *(f"network {each.name}" for each in client.networks.list(filters=query)),
            *(f"volume {each.name}" for each in client.volumes.list(filters=query)),
        ]
    finally:
        client.close()


def _row(container: Container) -> tuple[str, ...]:
    state = container.attrs["State"]
    status = state["Status"]
    if status == "exited":
        status = f"exited ({state['ExitCode']})"
    service = container.labels.get(LABEL_SERVICE, container.name)
    return (
        service,
        status,
        state.get("Health", {}).get("Status", "-"),
        _memory(container),
        _ports(container),
    )


def _memory(container: Container) -> str:
    if container.status != "running":
        return "-"
    measured = container.stats(stream=False, one_shot=True).get("memory_stats", {})
    if "usage" not in measured:
        return "-"
    # File cache that the kernel can drop at any time is not what the service needs.
    details = measured.get("stats", {})
    droppable = details.get("total_inactive_file", details.get("inactive_file", 0))
    used = f"{(measured['usage'] - droppable) // MIB}"
    limit = container.attrs["HostConfig"]["Memory"]
    return f"{used}/{limit // MIB} MiB" if limit else f"{used} MiB"


def _ports(container: Container) -> str:
    bindings = container.attrs["NetworkSettings"]["Ports"] or {}
    hosts = [each for bound in bindings.values() for each in bound or ()]
    return ", ".join(f"{each['HostIp']}:{each['HostPort']}" for each in hosts) or "-"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
