"""Alerts about what pipelines measure of themselves: rows, drift, scores, predictions.

Tasks send these as gauges, which keep the last run's value, and which the StatsD exporter forgets when it
restarts. So a verdict holds until the next run gives another one, or half a day after it was forgotten.
"""

from configs.dashboards import uids
from configs.growth import grew
from configs.links import Links
from configs.rules import AlertRule, RuleGroup

COMPONENT = "pipelines"

# Ranges of a day are read, of values that change with a run.
_INTERVAL_SECONDS = 30
_STEP = "pipeline, step"
_MODEL = "pipeline, step, model"
_FEATURE = "pipeline, step, model, feature"
_NAMES_STEP = "{{ $labels.step }} of {{ $labels.pipeline }}"

# Convention, not law: below 0.1 nobody calls it drift, above 0.2 everybody does.
_PSI = 0.2
_PVALUE = 0.01
_UNCHECKED_SECONDS = 6 * 3600
_REJECTED_SHARE = 0.05
_SLOW_SECONDS = 1
_FEWEST_CALLS = 10
# Of these, more is better.
_SCORES = ("accuracy", "auc", "f1")


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about data and models."""
    more = links.dashboard(uids.PIPELINES, pipeline="pipeline")
    rules = (*_drift(more), *_data(more), *_serving(more))
    return (RuleGroup(component=COMPONENT, rules=rules, interval=_INTERVAL_SECONDS),)


def _kept(gauge: str, by: str) -> str:
    """The gauge's latest value, if half a day old."""
    return f"max by ({by}) (last_over_time({gauge}[12h]))"


def _usual(gauge: str, by: str) -> str:
    return f"max by ({by}) (quantile_over_time(0.5, {gauge}[1d]))"


def _fallen(score: str) -> str:
    gauge = f"airflow_ml_train_{score}"
    fallen = f"max by ({_MODEL}) ({gauge}) < 0.9 * {_usual(gauge, _MODEL)}"
    return f'label_replace({fallen}, "score", "{score}", "", "")'


def _drift(more: dict[str, str]) -> tuple[AlertRule, ...]:
    psi, pvalue = _kept("airflow_ml_drift_psi", _FEATURE), _kept("airflow_ml_drift_ks_pvalue", _FEATURE)
    succeeded = _kept("airflow_ml_last_success_timestamp", _STEP)
    checked = _kept("airflow_ml_drift_checked_timestamp", _MODEL)
    return (
        AlertRule(
            name="FeatureDrift",
            expression=f"{psi} > {_PSI} and {pvalue} < {_PVALUE}",
            # Both values of a run are there a moment after each other.
            hold=30,
            severity="warning",
            summary="{{ $labels.feature }} has drifted from what {{ $labels.model }} of {{ $labels.pipeline "
            "}} was trained on",
            description="Population stability index {{ $value | humanize }}, and no accident by the test of "
            "Kolmogorov and Smirnov. Scores of the training say little about such data. It clears with the "
            "next run whose data is as it was.",
            links=more,
        ),
        AlertRule(
            name="DriftStale",
            expression=f"{succeeded} - on ({_STEP}) group_right () {checked} > {_UNCHECKED_SECONDS}",
            severity="warning",
            summary="{{ $labels.model }} of {{ $labels.pipeline }} is used unchecked: its last comparison "
            "for drift is {{ $value | humanizeDuration }} older than the last run",
            description="The step {{ $labels.step }} ends well without comparing its data with the "
            "training's. What the other alerts know about drift is old.",
            links=more,
        ),
    )


def _data(more: dict[str, str]) -> tuple[AlertRule, ...]:
    taken = f"max by ({_STEP}) (airflow_ml_rows_ingested)"
    refused = f"max by ({_STEP}) (airflow_ml_rows_rejected)"
    return (
        AlertRule(
            name="IngestLow",
            expression=f"{taken} < 0.5 * {_usual('airflow_ml_rows_ingested', _STEP)} or {taken} == 0",
            hold=30,
            severity="warning",
            summary=f"{_NAMES_STEP} took in {{{{ $value }}}} rows, less than half of what is usual",
            description="Usual is the median of a day. The source is incomplete, or a filter takes too much.",
            links=more,
        ),
        AlertRule(
            name="IngestRejections",
            expression=f"{refused} / ({refused} + {taken}) > {_REJECTED_SHARE}",
            hold=30,
            severity="warning",
            summary=f"{_NAMES_STEP} rejected {{{{ $value | humanizePercentage }}}} of its rows",
            description="In its last run. The task's log names rows and reasons, if the step does as the "
            "example.",
            links=more,
        ),
    )


def _serving(more: dict[str, str]) -> tuple[AlertRule, ...]:
    latency = "airflow_ml_serving_latency_seconds"
    buckets = grew(f"{latency}_bucket", f"{_STEP}, le", 600)
    calls = grew(f"{latency}_count", _STEP, 600)
    low = " or ".join(_fallen(score) for score in _SCORES)
    return (
        AlertRule(
            name="NoPredictions",
            expression=f"max by ({_STEP}) (airflow_ml_predictions) == 0",
            hold=30,
            severity="warning",
            summary=f"{_NAMES_STEP} made no predictions in its last run",
            description="It ended well all the same: look at what it was given.",
            links=more,
        ),
        AlertRule(
            name="ServingLatencyHigh",
            expression=f"histogram_quantile(0.95, {buckets}) > {_SLOW_SECONDS} and {calls}"
            f" >= {_FEWEST_CALLS}",
            severity="warning",
            summary=f"One of twenty predictions of {_NAMES_STEP} takes {{{{ $value | humanizeDuration }}}} "
            "or more",
            description="Of those within ten minutes, as exact as the buckets are.",
            links=more,
        ),
        AlertRule(
            name="ModelScoreLow",
            expression=low,
            hold=30,
            severity="warning",
            summary="{{ $labels.model }} of {{ $labels.pipeline }} scores {{ $value | humanize }} by "
            "{{ $labels.score }}, a tenth less than usual",
            description="Usual is the median of a day. Look at what changed: data, features, parameters.",
            links=more,
        ),
    )
