"""Alerts about the Docker host: its disks, its memory, and whether it is there at all."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "host"

INHIBITIONS = (Inhibition(source="HostDown", targets=('component="containers"',)),)

_HOUR = 3600
_DISKS = "by (device, fstype)"
"""One disk may be mounted in several places."""


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about the machine that the containers run on."""
    more = links.dashboard(uids.INFRASTRUCTURE)
    rules = (_down(), *_disks(more), *_memory(more), *_load(more))
    return (RuleGroup(component=COMPONENT, rules=rules, interval=15),)


def _down() -> AlertRule:
    return AlertRule(
        name="HostDown",
        # The exporter alone may be down: then what tells of the containers still does.
        expression='up{job="node-exporter"} == 0 and on () up{job="container-exporter"} == 0',
        hold=60,
        severity="critical",
        summary="The Docker host is out of reach: neither it nor its containers can be watched",
        description="None of the pages that tell of the machine answers. Alerts about its containers are "
        "held back meanwhile.",
    )


def _share(what: str, whole: str, below: float) -> str:
    """Disks that can be written to by some mount, of which less than ``below`` is left."""
    share = f"min {_DISKS} ({what}) / max {_DISKS} ({whole}) < {below}"
    return f"({share} unless min {_DISKS} (node_filesystem_readonly) == 1)"


def _free(below: float) -> str:
    return _share("node_filesystem_avail_bytes", "node_filesystem_size_bytes", below)


def _filling(window: str, ahead: int) -> str:
    return f"min {_DISKS} (predict_linear(node_filesystem_avail_bytes[{window}], {ahead})) < 0"


def _disks(more: dict[str, str]) -> tuple[AlertRule, ...]:
    left = "{{ $value | humanizePercentage }} of it is free. "
    full = (
        "On a full disk Postgres and Elasticsearch stop to write, tasks fail, and Prometheus loses samples."
    )
    return (
        AlertRule(
            name="HostDiskFillingSlowly",
            # Both spans, so that one large file that was written hours ago is no trend.
            expression=f"{_free(0.4)} and {_filling('6h', 24 * _HOUR)} and {_filling('1h', 24 * _HOUR)}",
            hold=_HOUR,
            severity="warning",
            summary="The host's disk {{ $labels.device }} will be full within a day",
            description=left + "It shrinks at a rate that leaves nothing in 24 hours. " + full,
            links=more,
        ),
        AlertRule(
            name="HostDiskFillingFast",
            expression=f"{_free(0.2)} and {_filling('1h', 4 * _HOUR)} and {_filling('15m', 4 * _HOUR)}",
            hold=600,
            severity="critical",
            summary="The host's disk {{ $labels.device }} will be full within four hours",
            description=left + "It shrinks at a rate that leaves nothing in four hours. " + full,
            links=more,
        ),
        AlertRule(
            name="HostDiskAlmostFull",
            expression=_free(0.05),
            hold=300,
            severity="warning",
            summary="The host's disk {{ $labels.device }} is almost full",
            description=left + full,
            links=more,
        ),
        AlertRule(
            name="HostDiskFull",
            expression=_free(0.03),
            hold=60,
            severity="critical",
            summary="The host's disk {{ $labels.device }} is all but full",
            description=left + full,
            links=more,
        ),
        AlertRule(
            name="HostInodesLow",
            expression=_share("node_filesystem_files_free", "node_filesystem_files", 0.05),
            hold=300,
            severity="warning",
            summary="The host's disk {{ $labels.device }} has hardly room for further files",
            description="{{ $value | humanizePercentage }} of its inodes are free. Without any, no file can "
            "be made, however much space there is.",
            links=more,
        ),
        AlertRule(
            name="HostDiskSlow",
            expression="rate(node_disk_io_time_weighted_seconds_total[5m]) > 10",
            hold=1800,
            severity="warning",
            summary="The host's disk {{ $labels.device }} cannot keep up",
            description="For half an hour {{ $value | humanize }} reads and writes have waited for it at any "
            "time. All that is stored comes late: logs, metrics, the states of tasks.",
            links=more,
        ),
    )


def _memory(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="HostMemoryLow",
            expression="1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.9",
            hold=300,
            severity="warning",
            summary="The host has used {{ $value | humanizePercentage }} of its memory",
            description="When nothing is left, the kernel kills processes, of this stack or of others.",
            links=more,
        ),
        AlertRule(
            name="HostOomKill",
            expression="increase(node_vmstat_oom_kill[5m]) > 0",
            severity="warning",
            summary="The host has killed a process for want of memory",
            description="Within five minutes. Where it was one of this stack's containers, "
            "ContainerOomKilled names it; otherwise the host itself ran out, or another stack's container.",
            links=more,
        ),
        AlertRule(
            name="HostFileDescriptorsLow",
            expression="node_filefd_allocated / node_filefd_maximum > 0.8",
            hold=300,
            severity="warning",
            summary="The host has used {{ $value | humanizePercentage }} of its file descriptors",
            description="When none is left, no process on the host can open a file or a connection.",
            links=more,
        ),
    )


def _load(more: dict[str, str]) -> tuple[AlertRule, ...]:
    processors = 'count by (instance) (node_cpu_seconds_total{mode="idle"})'
    return (
        AlertRule(
            name="HostLoadHigh",
            expression=f"node_load15 / on (instance) {processors} > 2",
            hold=_HOUR,
            severity="info",
            summary="The host has {{ $value | humanize }} times as much to do as it has processors",
            description="For an hour. Tasks and dashboards are slow; more at once makes neither faster.",
            links=more,
        ),
        AlertRule(
            name="HostCpuBusy",
            expression='1 - sum by (instance) (rate(node_cpu_seconds_total{mode=~"idle|iowait"}[5m]))'
            f" / {processors} > 0.9",
            hold=_HOUR,
            severity="info",
            summary="The host's processors are busy for {{ $value | humanizePercentage }} of the time",
            description="For an hour. Nothing is wrong as long as tasks end in time.",
            links=more,
        ),
        AlertRule(
            name="HostClockOff",
            expression="abs(node_timex_offset_seconds) > 0.05 and node_timex_sync_status == 1",
            hold=600,
            severity="warning",
            summary="The host's clock is {{ $value | humanizeDuration }} off",
            description="For ten minutes, although it is being synchronised. Times of logs, metrics and runs "
            "cannot be compared with those of other machines.",
            links=more,
        ),
    )
