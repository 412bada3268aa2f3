"""The StatsD exporter's mapping: buckets, expiry and drops.

Airflow tags its metrics on the wire (dag_id, task_id, state, pool_name ...), and tags become labels with no
mapping. What is left to say is how finely each family of timers is counted, when a gauge of a task is
forgotten, and which names are dropped: those that carry an id in the name, which would make a new metric of
every DAG.
"""

from typing import Any

import yaml

# Upper bounds in seconds, about three to a decade: the quantiles of a dashboard are as exact as these.
_CALLS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LOOPS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DELAYS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_TASKS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
_CPU = (0.05, 0.1, *_TASKS, 43200, 86400)
_RUNS = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)

_TIMERS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("airflow.task.duration", _TASKS),
    ("airflow.task_resources.cpu_time", _CPU),
    ("airflow.task.queued_duration", _DELAYS),
    ("airflow.task.scheduled_duration", _DELAYS),
    ("airflow.dagrun.duration.success", _RUNS),
    ("airflow.dagrun.duration.failed", _RUNS),
    ("airflow.dagrun.schedule_delay", _DELAYS),
    ("airflow.dagrun.first_task_scheduling_delay", _DELAYS),
    ("airflow.dagrun.first_task_start_delay", _DELAYS),
    ("airflow.dagrun.dependency-check", _LOOPS),
    ("airflow.scheduler.scheduler_loop_duration", _LOOPS),
    ("airflow.scheduler.critical_section_duration", _LOOPS),
    ("airflow.scheduler.critical_section_query_duration", _LOOPS),
    ("airflow.scheduler.executor_heartbeat_duration", _LOOPS),
    ("airflow.dag_processing.last_duration", _LOOPS),
    ("airflow.collect_db_dags", _LOOPS),
    ("airflow.ml.step_duration", _TASKS),
    ("airflow.ml.serving_latency_seconds", _CALLS),
)
# A task that has ended sends no last value for its gauges; without an expiry they would stay for ever. What
# is sent every few seconds while a task runs is gone soon after it; a record of its end is kept for a day.
_TASK_GAUGES = {
    "airflow.ti.*": "24h",
    "airflow.task.*": "24h",
    "airflow.task_live.*": "30s",
    "airflow.task_resources.*": "24h",
}
# Emitted with a DAG's id in the name whatever legacy_names_on says ...
_LEFTOVER = r"^airflow\.dagrun\..+\.first_task_scheduling_delay$"
# ... and what legacy_names_on would bring, should a pipeline's own settings switch it on.
_LEGACY = (
    r"^airflow\.ti\.(start|finish)\..+$",
    r"^airflow\.dag\..+\.(duration|queued_duration|scheduled_duration)$",
    r"^airflow\.dagrun\.(duration\.(success|failed)|schedule_delay|dependency-check)\..+$",
    r"^airflow\.pool\.(open|queued|running|deferred|scheduled)_slots\..+$",
    r"^airflow\.operator_(successes|failures)_.+$",
)


def render() -> str:
    """Return the mapping file."""
    mapping = {
        "defaults": {"observer_type": "histogram", "histogram_options": {"buckets": list(_DELAYS)}},
        "mappings": [
            *(_timer(name, buckets) for name, buckets in _TIMERS),
            *(_task_gauge(pattern, ttl) for pattern, ttl in _TASK_GAUGES.items()),
            *(_drop(pattern) for pattern in (_LEFTOVER, *_LEGACY)),
        ],
    }
    return yaml.safe_dump(mapping, sort_keys=False)


def _timer(name: str, buckets: tuple[float, ...]) -> dict[str, Any]:
    return {
        "match": name,
        "match_metric_type": "observer",
        "name": name.replace(".", "_").replace("-", "_"),
        "histogram_options": {"buckets": list(buckets)},
    }


def _task_gauge(pattern: str, ttl: str) -> dict[str, Any]:
    name = pattern.replace(".", "_").replace("*", "$1")
    return {"match": pattern, "match_metric_type": "gauge", "name": name, "ttl": ttl}


def _drop(pattern: str) -> dict[str, Any]:
    # The exporter insists on a name even for what it drops.
    return {"match": pattern, "match_type": "regex", "action": "drop", "name": "dropped"}
