"""Which of Airflow's processes is not well, and which DAG files it cannot use.

That the API server answers is asked by its probe, see the alerts about probes.
"""

from configs.dashboards import uids
from configs.growth import grew
from configs.links import Links
from configs.rules import AlertRule

_SERVICE = "{{ $labels.service }}"
_FILE = "{{ $labels.file_path }}"

# As with containers: what has never beaten may wait for others.
_PATIENCE = "10m"

HEARTBEATS: dict[str, tuple[str, str]] = {
    "AirflowSchedulerHeartbeatMissing": (
        "airflow-scheduler",
        "No run is started and no task. Tasks that run go on, and are given up after a minute if it was "
        "killed.",
    ),
    "AirflowDagProcessorHeartbeatMissing": (
        "airflow-dag-processor",
        "New and changed DAG files are not seen, and callbacks of DAGs are not called. Known DAGs still run.",
    ),
    "AirflowTriggererHeartbeatMissing": (
        "airflow-triggerer",
        "Deferred tasks do not wake up.",
    ),
}
"""Alert -> the service that does not beat, and what follows."""


def rules(links: Links) -> tuple[AlertRule, ...]:
    """Heartbeats first, then what works badly, then DAG files."""
    return (*_beating(links), *_working(links), *_triggers(links), *_files(links))


def _silent(service: str) -> str:
    """Nobody beats; while a stack comes up, only where somebody did."""
    alive = f'airflow_jobs_alive{{service="{service}"}}'
    known = f"max_over_time({alive}[{_PATIENCE}]) > 0 or {alive} offset {_PATIENCE}"
    return f"max by (service) ({alive}) == 0 and on (service) ({known})"


def _beating(links: Links) -> tuple[AlertRule, ...]:
    more = links.service_logs() | links.dashboard(uids.AIRFLOW)
    return (
        *(
            AlertRule(
                name=name,
                expression=_silent(service),
                # Added to the 30 s after which a heartbeat is late: an update replaces the process in less.
                hold=60,
                severity="critical",
                summary=f"{_SERVICE} does not beat",
                description=consequence,
                links=more,
            )
            for name, (service, consequence) in HEARTBEATS.items()
        ),
        AlertRule(
            name="AirflowProcessLost",
            expression="max by (service) (airflow_jobs_lost) > 0",
            # One that was only too busy to beat comes back.
            hold=60,
            severity="warning",
            summary=f"A process of {_SERVICE} was killed",
            description="It stopped beating within the last quarter of an hour without having been stopped. "
            "Another one has taken its place, unless there is an alert about missing heartbeats too.",
            links=more,
        ),
    )


def _working(links: Links) -> tuple[AlertRule, ...]:
    loop = "sum by (le) (rate(airflow_scheduler_scheduler_loop_duration_bucket[5m]))"
    more = links.service_logs("airflow-scheduler") | links.dashboard(uids.AIRFLOW)
    return (
        AlertRule(
            name="AirflowSchedulerLoopSlow",
            expression=f"histogram_quantile(0.95, {loop}) > 5",
            hold=300,
            severity="warning",
            summary="Airflow's scheduler takes up to {{ $value | humanizeDuration }} for one pass",
            description="Every task starts this much later. Too many runs and tasks at once, a slow database "
            "or a busy machine are the usual reasons.",
            links=more,
        ),
        AlertRule(
            name="AirflowOrphanedTasks",
            expression=f"{grew('airflow_scheduler_orphaned_tasks_cleared', 'job', 600)} > 0",
            severity="warning",
            summary="Airflow's scheduler took up {{ $value | humanize }} tasks that a predecessor had left "
            "behind",
            description="They are started anew. A scheduler was killed, or lost the database, while they "
            "were in hand.",
            links=more,
        ),
    )


def _triggers(links: Links) -> tuple[AlertRule, ...]:
    more = links.service_logs("airflow-triggerer")
    return (
        AlertRule(
            name="AirflowTriggersUnassigned",
            expression="max(airflow_triggers_unassigned) > 0",
            hold=60,
            severity="warning",
            summary="{{ $value }} deferred tasks or callbacks of Airflow wait, and no triggerer takes them",
            description="The triggerer is switched off (airflow.triggerer_enabled) or has no capacity left: "
            "they wait for ever.",
            links=more,
        ),
        AlertRule(
            name="AirflowTriggersFailed",
            expression=f"{grew('airflow_triggers_failed', 'job', 600)} > 0",
            severity="warning",
            summary="{{ $value | humanize }} triggers of Airflow failed",
            description="The deferred tasks that waited for them fail too.",
            links=more,
            born_by_event=frozenset({"airflow_triggers_failed"}),
        ),
        AlertRule(
            name="AirflowTriggersBlocked",
            # A busy machine alone makes for one or two a minute.
            expression=f"{grew('airflow_triggers_blocked_main_thread', 'job', 600)} > 60",
            severity="warning",
            summary="A trigger blocks the other triggers of Airflow, {{ $value | humanize }} times within "
            "ten minutes",
            description="All triggers share a thread, and one of them computes or waits in it: the others "
            "are late.",
            links=more,
            born_by_event=frozenset({"airflow_triggers_blocked_main_thread"}),
        ),
    )


def _files(links: Links) -> tuple[AlertRule, ...]:
    timeouts = "airflow_dag_processing_processor_timeouts"
    more = links.service_logs("airflow-dag-processor")
    return (
        AlertRule(
            name="AirflowImportError",
            expression="max by (bundle, file) (airflow_dag_import_error) == 1",
            hold=15,
            severity="warning",
            summary="The DAG file {{ $labels.file }} cannot be imported",
            description="Its DAGs are not started any more. Airflow's start page shows the traceback.",
            links=more,
            born_by_event=frozenset({"airflow_dag_import_error"}),
        ),
        AlertRule(
            name="AirflowDagParsingSlow",
            expression="max by (dag_id) (airflow_dag_parse_duration_seconds) > 15",
            hold=60,
            severity="warning",
            summary="Parsing the file of {{ $labels.dag_id }} takes {{ $value | humanizeDuration }}",
            description="After 30 s Airflow gives up and the DAG is gone. It does so again and again: what "
            "takes long belongs in a task.",
            links=links.dag() | more,
        ),
        AlertRule(
            name="AirflowDagParsingTimeout",
            expression=f"{grew(timeouts, 'file_path', 600)} > 0",
            severity="warning",
            summary=f"Parsing the DAG file {_FILE} was given up",
            description="It took longer than 50 s. What is known of its DAGs is old.",
            links=more,
            born_by_event=frozenset({timeouts}),
        ),
    )
