"""The ML pipelines dashboard: data volumes, model scores, serving and freshness, as tasks measured them."""

from configs.dashboards import uids
from configs.dashboards.boards import board, variable
from configs.dashboards.panels import Panel, lines, rows
from configs.dashboards.promql import mean, quantile
from configs.links import Links

UID = uids.PIPELINES

_CHOSEN = '{stack="$stack", pipeline=~"$pipeline"}'
_TASKS = '{stack="$stack", dag_id=~"$pipeline"}'
_STEP = "pipeline, step"
_LEGEND = "{{pipeline}}.{{step}}"
# A step runs seldom: what it took stays in sight for this long.
_RECENT = "10m"


def render(links: Links) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    known = 'label_values(airflow_ml_last_success_timestamp{stack="$stack"}, pipeline)'
    parts = {"Models": _models(), "Drift": _drift(), "Data": _data(), "Steps": _steps()}
    return board(f"ML pipelines ({links.stack})", UID, [variable("pipeline", "Pipeline", known)], parts)


def _models() -> list[Panel]:
    latency = "airflow_ml_serving_latency_seconds"
    return [
        lines(
            "Model scores",
            "Accuracy, AUC, F1, loss and whatever else a training reports; the last value stays.",
            "short",
            {
                "{{model}} {{score}}": (
                    'max by (pipeline, model, score) (label_replace({__name__=~"airflow_ml_train_.+", '
                    'stack="$stack", pipeline=~"$pipeline"}, '
                    '"score", "$1", "__name__", "airflow_ml_train_(.+)"))'
                )
            },
        ),
        lines(
            "Serving latency",
            f"Per prediction, of the last {_RECENT}, as exact as the buckets.",
            "s",
            {
                f"{_LEGEND} median": quantile(0.5, latency, _CHOSEN, _STEP, _RECENT),
                f"{_LEGEND} 95 %": quantile(0.95, latency, _CHOSEN, _STEP, _RECENT),
            },
        ),
    ]


def _drift() -> list[Panel]:
    psi = f"airflow_ml_drift_psi{_CHOSEN}"
    by = "pipeline, step, model, feature"
    drifted = f"({psi} > 0.2) and on ({by}) (airflow_ml_drift_ks_pvalue{_CHOSEN} < 0.01)"
    return [
        lines(
            "Drift of the features, PSI",
            "Population stability index against the training data: below 0.1 none, from 0.2 on a lot.",
            "short",
            {"{{model}} {{feature}}": f"topk(10, {psi})"},
        ),
        lines(
            "Share of features that drift",
            "Of those that were checked in the last run.",
            "percentunit",
            {"{{model}}": f"airflow_ml_drift_share{_CHOSEN}"},
        ),
        rows(
            "Features that drift",
            "A PSI above 0.2 that is not chance (Kolmogorov-Smirnov, p below 0.01). Empty while all is well.",
            drifted,
            {"pipeline": "Pipeline", "step": "Step", "model": "Model", "feature": "Feature", "Value": "PSI"},
        ),
    ]


def _data() -> list[Panel]:
    return [
        lines(
            "Rows",
            "Taken in, handed on and rejected by each step of the last run.",
            "short",
            {
                f"{_LEGEND} ingested": f"airflow_ml_rows_ingested{_CHOSEN}",
                f"{_LEGEND} out": f"airflow_ml_rows_out{_CHOSEN}",
                f"{_LEGEND} rejected": f"airflow_ml_rows_rejected{_CHOSEN}",
            },
        ),
        lines(
            "Data volume",
            "Written by each step of the last run.",
            "bytes",
            {_LEGEND: f"airflow_ml_data_bytes{_CHOSEN}"},
        ),
        lines(
            "Predictions",
            "Made by each step of the last run.",
            "short",
            {_LEGEND: f"airflow_ml_predictions{_CHOSEN}"},
        ),
    ]


def _steps() -> list[Panel]:
    return [
        lines(
            "Step duration, mean",
            f"Of the steps that ended within the last {_RECENT}.",
            "s",
            {_LEGEND: mean("airflow_ml_step_duration", _CHOSEN, _STEP, _RECENT)},
        ),
        lines(
            "Processor time of a try, mean",
            f"Of the tasks of the DAG of that name that ended within the last {_RECENT}.",
            "s",
            {"{{task_id}}": mean("airflow_task_resources_cpu_time", _TASKS, "dag_id, task_id", _RECENT)},
        ),
        lines(
            "Peak memory of the last try",
            "Resident, of the tasks of the DAG of that name.",
            "bytes",
            {"{{task_id}}": f"airflow_task_resources_memory_peak_bytes{_TASKS}"},
        ),
        lines(
            "Time since the last success",
            "A step that has not succeeded for longer than its period feeds the next with old data.",
            "s",
            {_LEGEND: f"time() - airflow_ml_last_success_timestamp{_CHOSEN}"},
        ),
    ]
