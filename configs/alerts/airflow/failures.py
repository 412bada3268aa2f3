"""What failed: tasks and runs by their names, and what fails more often than it should."""

from configs.dashboards import uids
from configs.growth import grew
from configs.links import Links
from configs.rules import AlertRule

_TASK = "{{ $labels.dag_id }}.{{ $labels.task_id }}"
_MAPPED = '{{ if ne $labels.map_index "-1" }}[{{ $labels.map_index }}]{{ end }}'
_RUN = "in the run {{ $labels.run_id }}"

_TASK_LABELS = "dag_id, task_id, map_index, run_id, try_number, trace_id"
_RUN_LABELS = "dag_id, run_id, run_type, trace_id"
_FEWEST_TRIES = 20


def frequent(links: Links) -> tuple[AlertRule, ...]:
    """Lost tasks, and what fails more often than it should."""
    return (*_lost(links), *_many(links))


def _remembered(alert: str, metric: str, labels: str) -> str:
    """The metric's series; while its page cannot be asked, those that the alert fires for already.

    Without this, a failure would look cleared whenever the exporter or the database restarts.
    """
    firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
    asked = 'up{job="airflow-exporter"} == 1'
    return f"max by ({labels}) ({metric}) or (max by ({labels}) ({firing}) unless on () ({asked}))"


def single(links: Links) -> tuple[AlertRule, ...]:
    """The tasks and runs that failed, each until it is cleared or a later run ends well."""
    return (
        AlertRule(
            name="AirflowTaskFailed",
            expression=_remembered("AirflowTaskFailed", "airflow_task_failed", _TASK_LABELS),
            severity="critical",
            summary=f"{_TASK}{_MAPPED} failed {_RUN}",
            description="Try {{ $labels.try_number }} was the last one: what comes after this task is not "
            "done. It clears when a later run of the DAG ends well, or when the run is cleared.",
            links=links.task() | links.dashboard(uids.AIRFLOW, dag_id="dag_id"),
            born_by_event=frozenset({"airflow_task_failed"}),
        ),
        AlertRule(
            name="AirflowDagRunFailed",
            expression=_remembered("AirflowDagRunFailed", "airflow_dag_run_failed", _RUN_LABELS),
            severity="critical",
            summary="{{ $labels.dag_id }} failed: its {{ $labels.run_type }} run {{ $labels.run_id }}",
            description="No task is to blame, or there would be an alert about it: the run took longer than "
            "its dagrun_timeout, could not go on, or was marked as failed by hand. It clears when a later "
            "run ends well, or when this one is cleared.",
            links=links.run() | links.dashboard(uids.AIRFLOW, dag_id="dag_id"),
            born_by_event=frozenset({"airflow_dag_run_failed"}),
        ),
    )


def _lost(links: Links) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="AirflowExporterTruncated",
            expression="max by (metric) (airflow_exporter_truncated) == 1",
            severity="warning",
            summary="More series of {{ $labels.metric }} than the exporter of Airflow's database shows",
            description="It shows the newest 2000. Those beyond have no alert of their own.",
            links=links.service_logs("airflow-exporter"),
        ),
        AlertRule(
            name="AirflowTaskHeartbeatLost",
            expression=f"max by ({_TASK_LABELS}) (airflow_task_heartbeat_lost)",
            severity="warning",
            summary=f"{_TASK}{_MAPPED} lost its process {_RUN}",
            description="The process of try {{ $labels.try_number }} stopped beating and was given up: it "
            "was killed, or its scheduler was. The task is tried again if it has tries left.",
            links=links.task() | links.service_logs("airflow-scheduler", name="service_logs"),
            born_by_event=frozenset({"airflow_task_heartbeat_lost"}),
        ),
        AlertRule(
            name="AirflowTaskKilledExternally",
            expression=f"max by ({_TASK_LABELS}) (airflow_task_killed_externally)",
            severity="warning",
            summary=f"{_TASK}{_MAPPED} ended without a word {_RUN}",
            description="The executor says that try {{ $labels.try_number }} has ended, and the task itself "
            "never said so: its process was killed, or could not be started.",
            links=links.task() | links.service_logs("airflow-scheduler", name="service_logs"),
            born_by_event=frozenset({"airflow_task_killed_externally"}),
        ),
        AlertRule(
            name="AirflowCallbackExceptions",
            expression=f"{grew('airflow_dag_callback_exceptions', 'dag_id', 600)} > 0",
            severity="warning",
            summary="A callback of {{ $labels.dag_id }} failed itself",
            description="Whoever was to be told of the run's end by it was not.",
            links=links.dag() | links.service_logs("airflow-dag-processor"),
            born_by_event=frozenset({"airflow_dag_callback_exceptions"}),
        ),
    )


def _many(links: Links) -> tuple[AlertRule, ...]:
    retries = grew('airflow_ti_finish{state="up_for_retry"}', "dag_id", 900)
    failed = grew('airflow_ti_finish{state="failed"}', "", 1800)
    ended = grew("airflow_ti_finish", "", 1800)
    bad = grew("airflow_operator_failures", "operator_name", 3600)
    good = grew("airflow_operator_successes", "operator_name", 3600)
    tries = f"({bad} + ({good} or {bad} * 0))"
    return (
        AlertRule(
            name="AirflowTaskRetryStorm",
            expression=f"{retries} > {_FEWEST_TRIES}",
            hold=60,
            severity="warning",
            summary="Tasks of {{ $labels.dag_id }} fail and are tried again, "
            "{{ $value | humanize }} times within a quarter of an hour",
            description="The runs may still end well, but most of the work is done in vain.",
            links=links.dag() | links.dashboard(uids.AIRFLOW, dag_id="dag_id"),
            born_by_event=frozenset({'airflow_ti_finish{state="up_for_retry"}'}),
        ),
        AlertRule(
            name="AirflowFailureRateHigh",
            expression=f"{failed} / {ended} > 0.1 and {ended} > {_FEWEST_TRIES}",
            hold=60,
            severity="warning",
            summary="{{ $value | humanizePercentage }} of all tasks of Airflow fail",
            description="Within half an hour. When many DAGs fail at once, the reason is what they share: "
            "the network, a data source, the disk, the last change of the image.",
            links=links.dashboard(uids.AIRFLOW),
        ),
        AlertRule(
            name="AirflowOperatorFails",
            expression=f"{bad} / {tries} > 0.5 and {tries} > {_FEWEST_TRIES}",
            hold=60,
            severity="warning",
            summary="{{ $value | humanizePercentage }} of the tasks made of {{ $labels.operator_name }} fail",
            description="Within an hour, in whatever DAG: look at what this operator talks to.",
            links=links.dashboard(uids.AIRFLOW),
            born_by_event=frozenset({"airflow_operator_failures"}),
        ),
    )
