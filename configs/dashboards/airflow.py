"""The Airflow dashboard: is it alive, how do runs and tasks fare, where do they wait, what do they log."""

from configs.dashboards import data_links, uids
from configs.dashboards.boards import board, variable
from configs.dashboards.panels import Panel, bars, lines, number, rows
from configs.dashboards.promql import mean, quantile
from configs.growth import grown
from configs.links import Links

UID = uids.AIRFLOW

_OF_STACK = '{stack="$stack"}'
_OF_DAG = '{stack="$stack", dag_id=~"$dag_id"}'
_OF_TASK = '{stack="$stack", dag_id=~"$dag_id", task_id=~"$task_id"}'
_TASK = "dag_id, task_id"
_PER_BAR = "$__interval"
# A run ends seldom: what it took stays in sight for this long.
_RECENT = "10m"


def render(links: Links) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    variables = [
        variable("dag_id", "DAG", f"label_values(airflow_ti_start{_OF_STACK}, dag_id)"),
        variable("task_id", "Task", f"label_values(airflow_ti_start{_OF_DAG}, task_id)"),
    ]
    parts = {
        "Is it alive": _platform(),
        "DAG runs": _runs(links),
        "Tasks": _tasks(links),
        "What tasks consume": _resources(links),
        "Where they wait": _queues(links),
    }
    return board(f"Airflow ({links.stack})", UID, variables, parts)


def _platform() -> list[Panel]:
    return [
        number(
            "Scheduler beats",
            "Per second. Zero: nothing is scheduled any more.",
            f"sum(rate(airflow_scheduler_heartbeat{_OF_STACK}[1m])) or vector(0)",
            "cps",
            bad_below=0.01,
        ),
        number(
            "DAG processor beats",
            "Per second. Zero: new and changed DAGs are not seen.",
            f"sum(rate(airflow_dag_processor_heartbeat{_OF_STACK}[1m])) or vector(0)",
            "cps",
            bad_below=0.01,
        ),
        number(
            "Import errors",
            "DAG files that cannot be imported; their DAGs are missing.",
            f"max(airflow_dag_processing_import_errors{_OF_STACK})",
            bad_from=1,
        ),
        number(
            "Running runs",
            "DAG runs that are running now.",
            f"max(airflow_scheduler_dagruns_running{_OF_STACK})",
        ),
        number("Running tasks", "Executor slots in use.", f"max(airflow_executor_running_tasks{_OF_STACK})"),
        number(
            "Queued tasks", "Waiting for an executor slot.", f"max(airflow_executor_queued_tasks{_OF_STACK})"
        ),
    ]


def _runs(links: Links) -> list[Panel]:
    ended = "airflow_dagrun_duration"
    return [
        bars(
            "Ended runs",
            "By outcome.",
            {
                "{{dag_id}} success": grown(f"{ended}_success_count{_OF_DAG}", "dag_id", _PER_BAR),
                "{{dag_id}} failed": grown(f"{ended}_failed_count{_OF_DAG}", "dag_id", _PER_BAR),
            },
            data_links.dag(links),
        ),
        lines(
            "Run duration, mean",
            f"Of the runs that ended within the last {_RECENT}.",
            "s",
            {
                "{{dag_id}} success": mean(f"{ended}_success", _OF_DAG, "dag_id", _RECENT),
                "{{dag_id}} failed": mean(f"{ended}_failed", _OF_DAG, "dag_id", _RECENT),
            },
            data_links.dag(links),
        ),
        lines(
            "Time since the last success",
            "Of each DAG that has ever succeeded.",
            "s",
            {"{{dag_id}}": f"time() - airflow_dag_last_success_timestamp_seconds{_OF_DAG}"},
            data_links.dag(links),
        ),
        rows(
            "Failed tasks",
            "Of each DAG whose latest run has failed, or is failing. Empty while all is well.",
            f"airflow_task_failed{_OF_TASK}",
            {"dag_id": "DAG", "task_id": "Task", "run_id": "Run", "try_number": "Try", "trace_id": "Trace"},
            data_links.run(links, data_links.of_row),
        ),
    ]


def _tasks(links: Links) -> list[Panel]:
    return [
        bars(
            "Ended tries",
            "By state. A process that was killed reports none: see lost heartbeats.",
            {
                "{{dag_id}}.{{task_id}} {{state}}": grown(
                    f"airflow_ti_finish{_OF_TASK}", f"{_TASK}, state", _PER_BAR
                )
            },
            data_links.task(links),
        ),
        lines(
            "Task duration, mean",
            f"Of the tries that ended within the last {_RECENT}.",
            "s",
            {"{{dag_id}}.{{task_id}}": mean("airflow_task_duration", _OF_TASK, _TASK, _RECENT)},
            data_links.task(links),
        ),
        lines(
            "Task duration, 95th percentile",
            f"Of the tries that ended within the last {_RECENT}, as exact as the buckets.",
            "s",
            {"{{dag_id}}.{{task_id}}": quantile(0.95, "airflow_task_duration", _OF_TASK, _TASK, _RECENT)},
            data_links.task(links),
        ),
        bars(
            "Lost tasks",
            "Their process vanished: out of memory, killed, or restarted. Empty while all is well.",
            {
                "lost heartbeat": grown(
                    f"airflow_task_instances_without_heartbeats_killed{_OF_STACK}", "job", _PER_BAR
                ),
                "killed externally": grown(
                    f"airflow_scheduler_tasks_killed_externally{_OF_STACK}", "job", _PER_BAR
                ),
            },
        ),
    ]


def _resources(links: Links) -> list[Panel]:
    live, ended = "airflow_task_live", "airflow_task_resources"
    name = "{{dag_id}}.{{task_id}}"
    to = data_links.task(links)
    return [
        lines(
            "Processor use while they run",
            "Cores, of the task's processes together; gone with the task. Empty while no task runs.",
            "short",
            {name: f"{live}_cpu_cores{_OF_TASK}"},
            to,
        ),
        lines(
            "Memory while they run",
            "Resident, of the task's processes together; gone with the task. Empty while no task runs.",
            "bytes",
            {name: f"{live}_memory_bytes{_OF_TASK}"},
            to,
        ),
        lines(
            "Processor time of a try, mean",
            f"Of the tries that ended within the last {_RECENT}.",
            "s",
            {name: mean(f"{ended}_cpu_time", _OF_TASK, _TASK, _RECENT)},
            to,
        ),
        lines(
            "Peak memory of the last try",
            "Resident; stays for a day.",
            "bytes",
            {name: f"{ended}_memory_peak_bytes{_OF_TASK}"},
            to,
        ),
    ]


def _queues(links: Links) -> list[Panel]:
    return [
        lines(
            "Pool slots",
            "Tasks of a pool wait while none is open.",
            "short",
            {
                f"{{{{pool_name}}}} {kind}": f"max by (pool_name) (airflow_pool_{kind}_slots{_OF_STACK})"
                for kind in ("open", "running", "queued", "deferred")
            },
        ),
        lines(
            "Wait for a slot, 95th percentile",
            "From scheduled to queued.",
            "s",
            {
                "{{dag_id}}.{{task_id}}": quantile(
                    0.95, "airflow_task_scheduled_duration", _OF_TASK, _TASK, _RECENT
                )
            },
            data_links.task(links),
        ),
        lines(
            "Schedule delay, 95th percentile",
            "From the time at which a scheduled run was due to its start. Empty while there are none.",
            "s",
            {"{{dag_id}}": quantile(0.95, "airflow_dagrun_schedule_delay", _OF_DAG, "dag_id", _RECENT)},
            data_links.dag(links),
        ),
        lines(
            "Scheduler loop, mean",
            "A slow pass of the scheduler delays every task.",
            "s",
            {"loop": mean("airflow_scheduler_scheduler_loop_duration", _OF_STACK, "job", "1m")},
        ),
        lines(
            "Parsing of DAG files, mean",
            "A slow file delays every change of its DAGs.",
            "s",
            {"{{file_name}}": mean("airflow_dag_processing_last_duration", _OF_STACK, "file_name", "10m")},
        ),
    ]
