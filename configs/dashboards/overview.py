"""The overview: is everything well, what failed last, who waits for whom. The page to open first."""

from configs.dashboards import data_links, uids
from configs.dashboards.boards import board
from configs.dashboards.panels import Panel, bars, lines, number, rows
from configs.growth import grown
from configs.links import Links

UID = uids.OVERVIEW

_OF_STACK = '{stack="$stack"}'


def render(links: Links) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    parts = {
        "Is everything well": _wellness(),
        "What failed last": _failures(links),
        "What is going on": _activity(links),
    }
    return board(f"Overview ({links.stack})", UID, [], parts)


def _wellness() -> list[Panel]:
    def firing(severity: str) -> str:
        return f'count(ALERTS{{alertstate="firing", severity="{severity}"}}) or vector(0)'

    return [
        number("Critical alerts", "Firing now: act now.", firing("critical"), bad_from=1),
        number("Warnings", "Firing now: act today.", firing("warning"), bad_from=1),
        number(
            "Failing DAGs",
            "DAGs whose latest finished run has failed.",
            f"count(airflow_dag_run_failed{_OF_STACK}) or vector(0)",
            bad_from=1,
        ),
        number(
            "Pages that answer",
            "Share of the services' pages that answer as they should.",
            f"avg(probe_success{_OF_STACK})",
            "percentunit",
            bad_below=1,
        ),
        number(
            "Metrics pages that answer",
            "Share of what Prometheus scrapes.",
            f"avg(up{_OF_STACK})",
            "percentunit",
            bad_below=1,
        ),
        number(
            "Way of a log line",
            "From the disk to the search, for the newest trial line.",
            f"max(log_canary_delay_seconds{_OF_STACK})",
            "s",
            bad_from=10,
        ),
    ]


def _failures(links: Links) -> list[Panel]:
    return [
        rows(
            "Failed tasks",
            "Of each DAG whose latest run has failed, or is failing. Empty while all is well.",
            f"airflow_task_failed{_OF_STACK}",
            {"dag_id": "DAG", "task_id": "Task", "run_id": "Run", "try_number": "Try", "trace_id": "Trace"},
            data_links.run(links, data_links.of_row),
        ),
        rows(
            "Alerts that fire",
            "All but the watchdog, which always does. Empty while all is well.",
            'ALERTS{alertstate="firing", alertname!="Watchdog"}',
            {
                "severity": "Severity",
                "alertname": "Alert",
                "component": "Component",
                "service": "Service",
                "dag_id": "DAG",
                "task_id": "Task",
            },
        ),
    ]


def _activity(links: Links) -> list[Panel]:
    ended = "airflow_dagrun_duration"
    return [
        bars(
            "Ended runs",
            "By DAG and outcome.",
            {
                "{{dag_id}} success": grown(f"{ended}_success_count{_OF_STACK}", "dag_id", "$__interval"),
                "{{dag_id}} failed": grown(f"{ended}_failed_count{_OF_STACK}", "dag_id", "$__interval"),
            },
            data_links.dag(links),
        ),
        lines(
            "Work in progress",
            "Tasks that run, and that wait for a slot of the executor.",
            "short",
            {
                "running": f"max(airflow_executor_running_tasks{_OF_STACK})",
                "queued": f"max(airflow_executor_queued_tasks{_OF_STACK})",
            },
        ),
        lines(
            "Processor use of the services",
            "Cores.",
            "short",
            {"{{service}}": (f"sum by (service) (rate(container_cpu_usage_seconds_total{_OF_STACK}[1m]))")},
            data_links.service(links),
        ),
        lines(
            "Memory of the services",
            "Working set, as a share of the limit.",
            "percentunit",
            {
                "{{service}}": (
                    f"max by (service) (container_memory_working_set_bytes{_OF_STACK}"
                    f" / container_spec_memory_limit_bytes{_OF_STACK})"
                )
            },
            data_links.service(links),
        ),
    ]
