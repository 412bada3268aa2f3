"""Alerts about Airflow: what failed, what is late or hangs, and which of its processes is not well."""

from configs.alerts.airflow import failures, processes, waiting
from configs.links import Links
from configs.rules import Inhibition, RuleGroup

COMPONENT = "airflow"
FAILURES = "failures"
"""Component of the alerts about single failures, which are to be known within seconds."""

_FAILURES_SECONDS = 2

INHIBITIONS = (
    # The task says more than its run.
    Inhibition(
        source="AirflowTaskFailed", targets=('alertname="AirflowDagRunFailed"',), equal=("dag_id", "run_id")
    ),
    # Nothing is started without a scheduler.
    *(
        Inhibition(source="AirflowSchedulerHeartbeatMissing", targets=(f'alertname="{name}"',))
        for name in (
            "AirflowScheduleDelay",
            "AirflowDagRunStuck",
            "AirflowTaskQueuedTooLong",
            "AirflowTaskWaitingTooLong",
        )
    ),
    Inhibition(source="AirflowTriggererHeartbeatMissing", targets=('alertname="AirflowTriggersUnassigned"',)),
    # Whose container does not run has no heartbeat either; whose was restarted, was lost.
    *(
        Inhibition(source="ContainerDown", targets=(f'alertname="{rule}"',), equal=("service",))
        for rule in processes.HEARTBEATS
    ),
    Inhibition(source="ContainerRestarted", targets=('alertname="AirflowProcessLost"',), equal=("service",)),
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about DAGs, runs, tasks and the processes that run them."""
    rules = (*failures.frequent(links), *waiting.rules(links), *processes.rules(links))
    return (
        RuleGroup(component=FAILURES, rules=failures.single(links), interval=_FAILURES_SECONDS),
        RuleGroup(component=COMPONENT, rules=rules),
    )
