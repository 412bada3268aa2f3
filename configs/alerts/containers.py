"""Alerts about the stack's containers: gone, ending by themselves, or at the limits that they are given.

That a container runs and does not answer is told by the probes: the engine does not write the verdicts of its
own health checks to where they could be read without its socket.
"""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "containers"

INHIBITIONS = (
    Inhibition(source="ContainerDown", targets=('component="probes"',), equal=("service",)),
    Inhibition(
        source="ContainerCrashLooping", targets=('alertname="ContainerRestarted"',), equal=("service",)
    ),
    Inhibition(
        source="ContainerMemoryFull", targets=('alertname="ContainerMemoryHigh"',), equal=("service",)
    ),
    Inhibition(source="ContainerOomKilled", targets=('alertname="HostOomKill"',)),
)

# What has just been declared may not have been made yet: while a stack comes up, its services wait for each
# other. What ran within that time is missed at once; what never did, after it.
_PATIENCE = "10m"

# Without the file cache, which a container gives back when it needs the memory.
_MEMORY = (
    "(container_memory_working_set_bytes - container_memory_total_active_file_bytes)"
    " / container_spec_memory_limit_bytes"
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about every container of the stack, by service."""
    more = links.dashboard(uids.INFRASTRUCTURE, service="service") | links.service_logs()
    rules = (*_running(more), *_limits(more))
    return (RuleGroup(component=COMPONENT, rules=rules),)


def _running(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="ContainerDown",
            expression=f"container_running == 0 and (max_over_time(container_running[{_PATIENCE}]) == 1"
            f" or container_running offset {_PATIENCE})",
            hold=15,
            severity="critical",
            summary="The container of {{ $labels.service }} does not run",
            description="It was stopped, paused or removed, or the engine waits before it starts it again. "
            "The engine does not bring back what was stopped by hand.",
            links=more,
        ),
        AlertRule(
            name="ContainerCrashLooping",
            # Between the second and the third restart, since the growth is extrapolated.
            expression="increase(container_restarts_total[15m]) > 2.5",
            severity="critical",
            summary="The container of {{ $labels.service }} ends again and again",
            description='The engine had to restart it {{ $value | printf "%.0f" }} times within 15 minutes, '
            "and waits longer each time. The last lines of its log say why.",
            links=more,
        ),
        AlertRule(
            name="ContainerRestarted",
            expression="increase(container_restarts_total[10m]) > 0",
            severity="warning",
            summary="The container of {{ $labels.service }} ended by itself and was restarted",
            description="Within the last ten minutes. It runs again; what it was doing was cut off.",
            links=more,
        ),
        AlertRule(
            name="ContainerStepFailed",
            expression="container_exit_code != 0",
            hold=30,
            severity="warning",
            summary="The step {{ $labels.service }} failed with exit code {{ $value }}",
            description="It sets something up for others and runs once with each change; what it should have "
            "made may be missing. 137 is a kill, most often for want of memory.",
            links=more,
        ),
        AlertRule(
            name="ContainerOomKilled",
            expression="increase(container_oom_events_total[10m]) > 0",
            severity="warning",
            summary="A process of {{ $labels.service }} was killed for want of memory",
            description="Within ten minutes: the container reached its memory limit. "
            "In the scheduler's container it was most likely a task.",
            links=more,
        ),
    )


def _limits(more: dict[str, str]) -> tuple[AlertRule, ...]:
    used = "It uses {{ $value | humanizePercentage }} of what it is given, file cache not counted. "
    return (
        AlertRule(
            name="ContainerMemoryHigh",
            expression=f"{_MEMORY} > 0.8",
            hold=300,
            severity="warning",
            summary="The container of {{ $labels.service }} is near its memory limit",
            description=used + "At the limit the kernel kills one of its processes.",
            links=more,
        ),
        AlertRule(
            name="ContainerMemoryFull",
            expression=f"{_MEMORY} > 0.95",
            hold=60,
            severity="critical",
            summary="The container of {{ $labels.service }} is about to run out of memory",
            description=used + "The kernel is about to kill one of its processes.",
            links=more,
        ),
        AlertRule(
            name="ContainerThreadsHigh",
            expression="container_threads / container_threads_max > 0.8",
            hold=120,
            severity="warning",
            summary="The container of {{ $labels.service }} is near its limit of processes and threads",
            description="It has {{ $value | humanizePercentage }} of what it may have. At the limit it can "
            "start no further one: tasks and health checks fail.",
            links=more,
        ),
    )
