"""The logs: what tasks and services wrote, by DAG, task and service, and what the log store refused."""

from configs.dashboards import uids
from configs.dashboards.boards import board, search, variable
from configs.dashboards.panels import Panel, bars, lines, log_bars, log_lines
from configs.dashboards.sources import CONTAINER_LOGS
from configs.growth import grown
from configs.links import Links
from configs.log_exporter import CANARY_DAG

UID = uids.LOGS

# Regular expressions, since that is what a choice of several, or of all, becomes; without the trial lines.
_TASKS = (
    "airflow.dag_id:/${dag_id:regex}/ AND airflow.task_id:/${task_id:regex}/ AND $search"
    f' AND NOT airflow.dag_id:"{CANARY_DAG}"'
)
_SERVICES = "service.name:/${service:regex}/ AND $search"


def render(links: Links) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    variables = [
        variable("dag_id", "DAG", 'label_values(airflow_ti_start{stack="$stack"}, dag_id)'),
        variable(
            "task_id", "Task", 'label_values(airflow_ti_start{stack="$stack", dag_id=~"$dag_id"}, task_id)'
        ),
        variable("service", "Service", 'label_values(container_start_time_seconds{stack="$stack"}, service)'),
        search(),
    ]
    parts = {"Tasks": _tasks(), "Services": _services(), "On the way": _shipping()}
    return board(f"Logs ({links.stack})", UID, variables, parts)


def _tasks() -> list[Panel]:
    return [
        log_bars("Lines of tasks, by level", "Of the chosen DAGs and tasks.", _TASKS, "log.level"),
        log_bars("Lines of tasks, by task", "Of the chosen DAGs and tasks.", _TASKS, "airflow.task_id"),
        log_lines("Log of the tasks", "Of the chosen DAGs and tasks.", _TASKS),
    ]


def _services() -> list[Panel]:
    return [
        log_bars(
            "Lines of services, by level", "Of the chosen services.", _SERVICES, "log.level", CONTAINER_LOGS
        ),
        log_bars(
            "Lines of services, by service",
            "Of the chosen services.",
            _SERVICES,
            "service.name",
            CONTAINER_LOGS,
        ),
        log_lines("Log of the services", "Of the chosen services.", _SERVICES, CONTAINER_LOGS),
    ]


def _shipping() -> list[Panel]:
    return [
        lines(
            "Way of a log line",
            "From the disk to the search, for a trial line every half minute.",
            "s",
            {"{{stream}}": 'log_canary_delay_seconds{stack="$stack"}'},
        ),
        bars(
            "Refused documents",
            "What the log store would not take; they are kept as dead letters. Empty while all is well.",
            {"dead letters": grown('log_dead_letter_documents{stack="$stack"}', "job", "$__interval")},
        ),
    ]
