"""The infrastructure: the host, the containers, the database and the log store."""

from configs.dashboards import data_links, uids
from configs.dashboards.boards import board, variable
from configs.dashboards.panels import Panel, bars, lines
from configs.links import Links

UID = uids.INFRASTRUCTURE

_OF_STACK = '{stack="$stack"}'
_OF_SERVICE = '{stack="$stack", service=~"$service"}'


def render(links: Links) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    known = f"label_values(container_start_time_seconds{_OF_STACK}, service)"
    parts = {"Host": _host(), "Containers": _containers(links), "Metadata database": _postgres()}
    if links.elasticsearch:
        parts["Log store"] = _elasticsearch()
    return board(f"Infrastructure ({links.stack})", UID, [variable("service", "Service", known)], parts)


def _host() -> list[Panel]:
    return [
        lines(
            "Processors",
            "Share of the time, by what it went to.",
            "percentunit",
            {
                "{{mode}}": (
                    'sum by (mode) (rate(node_cpu_seconds_total{stack="$stack", mode!="idle"}[1m]))'
                    f" / scalar(count(count by (cpu) (node_cpu_seconds_total{_OF_STACK})))"
                )
            },
        ),
        lines(
            "Memory",
            "Of the whole host.",
            "bytes",
            {
                "used": f"node_memory_MemTotal_bytes{_OF_STACK} - node_memory_MemAvailable_bytes{_OF_STACK}",
                "total": f"node_memory_MemTotal_bytes{_OF_STACK}",
            },
        ),
        lines(
            "Disks, free",
            "As a share of each file system.",
            "percentunit",
            {
                "{{mountpoint}}": (
                    f"node_filesystem_avail_bytes{_OF_STACK} / node_filesystem_size_bytes{_OF_STACK}"
                )
            },
        ),
        lines(
            "Disks, busy",
            "Share of the time.",
            "percentunit",
            {"{{device}}": f"rate(node_disk_io_time_seconds_total{_OF_STACK}[1m])"},
        ),
    ]


def _containers(links: Links) -> list[Panel]:
    to = data_links.service(links)
    return [
        lines(
            "Processor use",
            "Cores.",
            "short",
            {"{{service}}": f"sum by (service) (rate(container_cpu_usage_seconds_total{_OF_SERVICE}[1m]))"},
            to,
        ),
        lines(
            "Memory",
            "Working set: what the kernel could not take back.",
            "bytes",
            {"{{service}}": f"max by (service) (container_memory_working_set_bytes{_OF_SERVICE})"},
            to,
        ),
        bars(
            "Starts",
            "Of containers, by service. Empty while none starts.",
            {
                "{{service}}": (
                    f"sum by (service) (changes(container_start_time_seconds{_OF_SERVICE}[$__interval]))"
                )
            },
            to,
        ),
        lines(
            "Threads",
            "Of all processes of each container.",
            "short",
            {"{{service}}": f"max by (service) (container_threads{_OF_SERVICE})"},
            to,
        ),
    ]


def _postgres() -> list[Panel]:
    return [
        lines(
            "Sessions",
            "By state.",
            "short",
            {"{{state}}": f"sum by (state) (pg_stat_activity_count{_OF_STACK})"},
        ),
        lines(
            "Transactions",
            "Per second.",
            "ops",
            {
                "committed": f"sum(rate(pg_stat_database_xact_commit{_OF_STACK}[1m]))",
                "rolled back": f"sum(rate(pg_stat_database_xact_rollback{_OF_STACK}[1m]))",
            },
        ),
        lines("Size", "Of each database.", "bytes", {"{{datname}}": f"pg_database_size_bytes{_OF_STACK}"}),
    ]


def _elasticsearch() -> list[Panel]:
    return [
        lines(
            "Heap",
            "Used, as a share of the limit; a saw's teeth are as it should be.",
            "percentunit",
            {
                "heap": (
                    'elasticsearch_jvm_memory_used_bytes{stack="$stack", area="heap"}'
                    ' / elasticsearch_jvm_memory_max_bytes{stack="$stack", area="heap"}'
                )
            },
        ),
        lines(
            "Documents",
            "Taken per second.",
            "ops",
            {"indexed": f"rate(elasticsearch_indices_indexing_index_total{_OF_STACK}[1m])"},
        ),
        lines(
            "Disk of the data",
            "Free and in all.",
            "bytes",
            {
                "free": f"elasticsearch_filesystem_data_available_bytes{_OF_STACK}",
                "size": f"elasticsearch_filesystem_data_size_bytes{_OF_STACK}",
            },
        ),
    ]
