"""The ML pipelines dashboard: data volumes, model scores, serving and freshness, as tasks measured them."""

from configs.dashboards.panels import Panel, board, lines, variable
from configs.dashboards.promql import mean, quantile

UID = "ml-pipelines"

_CHOSEN = '{pipeline=~"$pipeline"}'
_STEP = "pipeline, step"
_LEGEND = "{{pipeline}}.{{step}}"
# A step runs seldom: what it took stays in sight for this long.
_RECENT = "10m"


def render(stack: str) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    variables = [
        variable("pipeline", "Pipeline", "label_values(airflow_ml_last_success_timestamp, pipeline)")
    ]
    rows = {"Models": _models(), "Data": _data(), "Steps": _steps()}
    return board(f"ML pipelines ({stack})", UID, ["airflow", "ml"], variables, rows)


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
                    'pipeline=~"$pipeline"}, "score", "$1", "__name__", "airflow_ml_train_(.+)"))'
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


def _data() -> list[Panel]:
    return [
        lines(
            "Rows",
            "Taken in and rejected by each step of the last run.",
            "short",
            {
                f"{_LEGEND} ingested": f"airflow_ml_rows_ingested{_CHOSEN}",
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
            "Time since the last success",
            "A step that has not succeeded for longer than its period feeds the next with old data.",
            "s",
            {_LEGEND: f"time() - airflow_ml_last_success_timestamp{_CHOSEN}"},
        ),
    ]
