"""The Airflow dashboard: is it alive, how do runs and tasks fare, where do they wait, what do they log."""

from configs.dashboards.panels import Panel, bars, board, lines, log_lines, number, variable
from configs.dashboards.promql import grown, mean, quantile

UID = "airflow"

_OF_DAG = '{dag_id=~"$dag_id"}'
_OF_TASK = '{dag_id=~"$dag_id", task_id=~"$task_id"}'
_TASK = "dag_id, task_id"
_PER_BAR = "$__interval"
# A run ends seldom: what it took stays in sight for this long.
_RECENT = "10m"


def render(stack: str, *, logs: bool = True) -> str:
    """Return the dashboard in classic JSON with sorted keys; no log lines where there is no log store."""
    variables = [
        variable("dag_id", "DAG", "label_values(airflow_ti_start, dag_id)"),
        variable("task_id", "Task", f"label_values(airflow_ti_start{_OF_DAG}, task_id)"),
    ]
    return board(f"Airflow ({stack})", UID, ["airflow"], variables, _rows(logs))


def _rows(logs: bool) -> dict[str, list[Panel]]:
    rows = {
        "Platform": _platform(),
        "DAG runs": _runs(),
        "Tasks": _tasks(),
        "Where they wait": _queues(),
    }
    if logs:
        query = "airflow.dag_id:$dag_id AND airflow.task_id:$task_id"
        rows["Logs"] = [log_lines("Task logs", "Of the chosen DAGs and tasks.", query)]
    return rows


def _platform() -> list[Panel]:
    return [
        number(
            "Scheduler beats",
            "Per second. Zero: nothing is scheduled any more.",
            "sum(rate(airflow_scheduler_heartbeat[1m])) or vector(0)",
            "cps",
            bad_below=0.01,
        ),
        number(
            "DAG processor beats",
            "Per second. Zero: new and changed DAGs are not seen.",
            "sum(rate(airflow_dag_processor_heartbeat[1m])) or vector(0)",
            "cps",
            bad_below=0.01,
        ),
        number(
            "Import errors",
            "DAG files that cannot be imported; their DAGs are missing.",
            "max(airflow_dag_processing_import_errors)",
            bad_from=1,
        ),
        number("Running runs", "DAG runs that are running now.", "max(airflow_scheduler_dagruns_running)"),
        number("Running tasks", "Executor slots in use.", "max(airflow_executor_running_tasks)"),
        number("Queued tasks", "Waiting for an executor slot.", "max(airflow_executor_queued_tasks)"),
    ]


def _runs() -> list[Panel]:
    ended = "airflow_dagrun_duration"
    return [
        bars(
            "Ended runs",
            "By outcome.",
            {
                "{{dag_id}} success": grown(f"{ended}_success_count{_OF_DAG}", "dag_id", _PER_BAR),
                "{{dag_id}} failed": grown(f"{ended}_failed_count{_OF_DAG}", "dag_id", _PER_BAR),
            },
        ),
        lines(
            "Run duration, mean",
            f"Of the runs that ended within the last {_RECENT}.",
            "s",
            {
                "{{dag_id}} success": mean(f"{ended}_success", _OF_DAG, "dag_id", _RECENT),
                "{{dag_id}} failed": mean(f"{ended}_failed", _OF_DAG, "dag_id", _RECENT),
            },
        ),
    ]


def _tasks() -> list[Panel]:
    return [
        bars(
            "Ended tries",
            "By state. A process that was killed reports none: see lost heartbeats.",
            {
                "{{dag_id}}.{{task_id}} {{state}}": grown(
                    f"airflow_ti_finish{_OF_TASK}", f"{_TASK}, state", _PER_BAR
                )
            },
        ),
        lines(
            "Task duration, mean",
            f"Of the tries that ended within the last {_RECENT}.",
            "s",
            {"{{dag_id}}.{{task_id}}": mean("airflow_task_duration", _OF_TASK, _TASK, _RECENT)},
        ),
        lines(
            "Task duration, 95th percentile",
            f"Of the tries that ended within the last {_RECENT}, as exact as the buckets.",
            "s",
            {"{{dag_id}}.{{task_id}}": quantile(0.95, "airflow_task_duration", _OF_TASK, _TASK, _RECENT)},
        ),
        bars(
            "Lost tasks",
            "Their process vanished: out of memory, killed, or the scheduler restarted.",
            {
                "lost heartbeat": grown("airflow_task_instances_without_heartbeats_killed", "job", _PER_BAR),
                "killed externally": grown("airflow_scheduler_tasks_killed_externally", "job", _PER_BAR),
            },
        ),
    ]


def _queues() -> list[Panel]:
    return [
        lines(
            "Pool slots",
            "Tasks of a pool wait while none is open.",
            "short",
            {
                f"{{{{pool_name}}}} {kind}": f"max by (pool_name) (airflow_pool_{kind}_slots)"
                for kind in ("open", "running", "queued", "deferred")
            },
        ),
        lines(
            "Time in the queue, 95th percentile",
            "From queued to running.",
            "s",
            {
                "{{dag_id}}.{{task_id}}": quantile(
                    0.95, "airflow_task_queued_duration", _OF_TASK, _TASK, _RECENT
                )
            },
        ),
        lines(
            "Schedule delay, 95th percentile",
            "From the time at which a run was due to its start; scheduled runs only.",
            "s",
            {"{{dag_id}}": quantile(0.95, "airflow_dagrun_schedule_delay", _OF_DAG, "dag_id", _RECENT)},
        ),
        lines(
            "Scheduler loop and DAG files, mean",
            "A slow pass of the scheduler delays every task, a slow file every change of its DAGs.",
            "s",
            {
                "scheduler loop": mean("airflow_scheduler_scheduler_loop_duration", "", "job", "1m"),
                "{{file_name}}": mean("airflow_dag_processing_last_duration", "", "file_name", _RECENT),
            },
        ),
    ]
