"""What the Elasticsearch exporter is told: whom it asks, as whom, and for which figures."""

from configs import elasticsearch

PORT = 9114
INTERVAL_SECONDS = 15
_TIMEOUT_SECONDS = 8
_PROGRAM = "/bin/elasticsearch_exporter"

DROP = ("elasticsearch_index_stats_.*",)
"""Figures that every index has of its own, fifty of them; documents and size by index stay."""


def entrypoint(*, password_file: str) -> list[str]:
    """The container's entry point, before the flags.

    The exporter takes its password from nothing but the environment. So a shell puts it there when the
    container starts: ``docker inspect`` shows the name of the file.
    """
    script = f'ES_PASSWORD="$(cat {password_file})" && export ES_PASSWORD && exec {_PROGRAM} "$@"'
    return ["/bin/sh", "-c", script, _PROGRAM]


def environment() -> dict[str, str]:
    """The container's environment."""
    return {"ES_USERNAME": elasticsearch.MONITOR}


def flags() -> list[str]:
    """The exporter's arguments.

    Indices are wanted for their size, their settings for whether they have become read-only, the cluster's
    for the free space below which the server stops writing. Life cycles, snapshots and data streams stay
    off: not every image set's server has their calls.
    """
    return [
        f"--es.uri={elasticsearch.URL}",
        f"--es.timeout={_TIMEOUT_SECONDS}s",
        "--es.indices",
        "--es.indices_settings",
        "--no-es.aliases",
        "--collector.clustersettings",
        f"--web.listen-address=:{PORT}",
    ]
