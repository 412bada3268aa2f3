"""What is late, hangs, or waits for a place."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule

_DAG = "{{ $labels.dag_id }}"
_FOR = "{{ $value | humanizeDuration }}"


def rules(links: Links) -> tuple[AlertRule, ...]:
    """Schedules first, then single runs, then places."""
    return (*_schedules(links), *_runs(links), *_places(links))


def _schedules(links: Links) -> tuple[AlertRule, ...]:
    due, succeeded = "airflow_dag_success_due_timestamp_seconds", "airflow_dag_last_success_timestamp_seconds"
    more = links.dag() | links.dashboard(uids.AIRFLOW, dag_id="dag_id")
    return (
        AlertRule(
            name="AirflowDagStale",
            expression=f"max by (dag_id) ({due}) unless on (dag_id) ({succeeded} >= on (dag_id) {due})",
            # Time for the first run after a DAG was switched on again.
            hold=300,
            severity="warning",
            summary=f"{_DAG} has not ended well since {{{{ $value | humanizeTimestamp }}}}, though by its "
            "schedule it should have",
            description="A run failed, hangs, or was never made; what uses its results uses old ones.",
            links=more,
            born_by_event=frozenset({due}),
        ),
        AlertRule(
            name="AirflowScheduleDelay",
            expression="max by (dag_id) (airflow_dag_overdue_seconds) > 60",
            hold=30,
            severity="warning",
            summary=f"A run of {_DAG} has been due for {_FOR} and does not start",
            description="Neither a pause nor the DAG's own max_active_runs holds it back: the scheduler is "
            "too busy, or stopped.",
            links=more | links.service_logs("airflow-scheduler"),
        ),
        AlertRule(
            name="AirflowDeadlineMissed",
            expression="max by (dag_id, run_id) (airflow_deadline_missed) > 0",
            severity="warning",
            summary=f"{_DAG} missed a deadline in the run {{{{ $labels.run_id }}}}",
            description="A deadline that the DAG itself declares.",
            links=links.run(),
            born_by_event=frozenset({"airflow_deadline_missed"}),
        ),
    )


def _runs(links: Links) -> tuple[AlertRule, ...]:
    by = "max by (dag_id, run_id)"
    running, usual = f"{by} (airflow_dag_run_running_seconds)", f"{by} (airflow_dag_run_usual_seconds)"
    return (
        AlertRule(
            name="AirflowDagRunStuck",
            expression=f"{by} (airflow_dag_run_idle) == 1",
            hold=600,
            severity="warning",
            summary=f"{_DAG} hangs in the run {{{{ $labels.run_id }}}}: none of its tasks is on its way",
            description="For ten minutes nothing of it has run, waited for a place or for another try. It "
            "will stay so until its dagrun_timeout.",
            links=links.run(),
            born_by_event=frozenset({"airflow_dag_run_idle"}),
        ),
        AlertRule(
            name="AirflowDagRunSlow",
            expression=f"{running} > 600 and {running} > 3 * {usual}",
            severity="warning",
            summary=f"{_DAG} has been running for {_FOR}, in the run {{{{ $labels.run_id }}}}",
            description="That is three times as long as the longest of its last ten runs that ended well.",
            links=links.run() | links.dashboard(uids.AIRFLOW, dag_id="dag_id"),
            born_by_event=frozenset({"airflow_dag_run_running_seconds", "airflow_dag_run_usual_seconds"}),
        ),
    )


def _places(links: Links) -> tuple[AlertRule, ...]:
    waiting = "max by (dag_id) (airflow_task_waiting_seconds{{state={state!r}}})".replace("'", '"')
    full = "max by (pool_name) (airflow_pool_open_slots) <= 0"
    wanted = "max by (pool_name) (airflow_pool_scheduled_slots) > 0"
    more = links.dag() | links.dashboard(uids.AIRFLOW, dag_id="dag_id")
    return (
        AlertRule(
            name="AirflowTaskQueuedTooLong",
            expression=f"{waiting.format(state='queued')} > 300",
            severity="warning",
            summary=f"A task of {_DAG} has been queued for {_FOR} and is not started",
            description="It has a slot, but no process takes it up: the executor is overloaded or stuck. "
            "After ten minutes Airflow itself gives the try up.",
            links=more | links.service_logs("airflow-scheduler"),
            born_by_event=frozenset({"airflow_task_waiting_seconds"}),
        ),
        AlertRule(
            name="AirflowTaskWaitingTooLong",
            expression=f"{waiting.format(state='scheduled')} > 1800",
            severity="warning",
            summary=f"A task of {_DAG} has been waiting for a slot for {_FOR}",
            description="Its pool, the DAG's max_active_tasks or airflow.parallelism is used up by others.",
            links=more,
            born_by_event=frozenset({"airflow_task_waiting_seconds"}),
        ),
        AlertRule(
            name="AirflowPoolExhausted",
            expression=f"({full}) and ({wanted})",
            hold=600,
            severity="warning",
            summary="Tasks wait for the pool {{ $labels.pool_name }}, which is used up",
            description="For ten minutes there has not been an open slot while at least one task waited.",
            links=links.dashboard(uids.AIRFLOW),
        ),
        AlertRule(
            name="AirflowExecutorSaturated",
            expression="max(airflow_executor_open_slots) == 0 and on () sum(airflow_pool_scheduled_slots) > "
            "0",
            hold=600,
            severity="warning",
            summary="Tasks of Airflow wait, since as many run as may",
            description="For ten minutes all of airflow.parallelism has been in use while tasks waited.",
            links=links.dashboard(uids.AIRFLOW),
        ),
    )
