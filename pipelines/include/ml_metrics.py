"""Metrics of machine-learning steps, for authors of DAGs.

Three lines to use::

    with measured_step("churn", "train") as step:  # from ml_metrics import measured_step
        step.rows(ingested=900, rejected=3, out=897)
        step.score("auc", 0.93, model="trees")

The folder of this file is mounted into every Airflow container and on Python's path there (``PYTHONPATH``):
tasks and DAG files import it by name. What is sent goes through Airflow's own StatsD client and is in
Prometheus seconds later, under the names below with ``airflow_`` before and underscores for dots, each with
the labels ``pipeline`` and ``step``:

===============================  ====================================================================
``ml.rows_ingested``             rows that the step's last run took in
``ml.rows_rejected``             rows that it refused
``ml.rows_out``                  rows that it handed on
``ml.data_bytes``                bytes that it wrote
``ml.predictions``               predictions that it made
``ml.step_duration``             timer, seconds: the step's own work, without Airflow's start of the task
``ml.serving_latency_seconds``   timer, seconds: one prediction call
``ml.last_success_timestamp``    Unix time at which the step last ended well
``ml.train_auc`` and so on       scores, with the label ``model``
``ml.drift_psi``                 with ``model`` and ``feature``: how far the feature is from what the model
                                 was trained on, see the module ``drift``
``ml.drift_ks``                  the same by another measure ...
``ml.drift_ks_pvalue``           ... and how probable that is by chance
``ml.drift_share``               with ``model``: share of its features that drifted, 0 to 1
``ml.drift_checked_timestamp``   with ``model``: Unix time of the last comparison
===============================  ====================================================================

Gauges show the last run and stay when a later run fails: look at ``ml.last_success_timestamp`` too.
"""

import logging
import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.observability import stats
from metric_tags import safe_tags

if TYPE_CHECKING:
    from drift import FeatureDrift

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Step:
    """One step of a pipeline; what it sends carries both names as labels."""

    pipeline: str
    step: str

    def rows(self, *, ingested: int, rejected: int, out: int | None = None) -> None:
        """Send how many rows the step took in, how many it refused and, if it hands on any, how many."""
        self.gauge("rows_ingested", ingested)
        self.gauge("rows_rejected", rejected)
        if out is not None:
            self.gauge("rows_out", out)

    def data_bytes(self, count: int) -> None:
        """Send how many bytes the step wrote."""
        self.gauge("data_bytes", count)

    def predictions(self, count: int) -> None:
        """Send how many predictions the step made."""
        self.gauge("predictions", count)

    def serving_latency(self, seconds: float) -> None:
        """Send how long one prediction call took."""
        self.timing("serving_latency_seconds", seconds)

    def score(self, name: str, value: float, *, model: str) -> None:
        """Send a score of ``model``, such as ``auc``; higher or lower may be better, the name says which."""
        self.gauge(f"train_{name}", value, model=model)

    def drift(self, found: "Mapping[str, FeatureDrift]", *, model: str) -> None:
        """Send what ``drift.Reference.compare`` found; if that is nothing, the last values stay."""
        if not found:
            log.warning("too few rows to tell whether the features of %s drift", model)
            return
        for feature, measures in found.items():
            self.gauge("drift_psi", measures.psi, model=model, feature=feature)
            self.gauge("drift_ks", measures.ks, model=model, feature=feature)
            self.gauge("drift_ks_pvalue", measures.ks_pvalue, model=model, feature=feature)
        drifted = [feature for feature, measures in found.items() if measures.drifted]
        level = logging.WARNING if drifted else logging.INFO
        named = ", ".join(drifted) or "none"
        log.log(level, "%d of %d features of %s drift: %s", len(drifted), len(found), model, named)
        self.gauge("drift_share", len(drifted) / len(found), model=model)
        self.gauge("drift_checked_timestamp", round(time.time()), model=model)

    def gauge(self, name: str, value: float, **tags: str) -> None:
        """Send the present value of ``ml.<name>``; one that is no number is logged, not sent."""
        if not math.isfinite(value):
            log.warning("metric %s of step %s is %s and was not sent", name, self.step, value)
            return
        stats.gauge(metric_name(name), value, tags=self._tags(name, tags))

    def timing(self, name: str, seconds: float, **tags: str) -> None:
        """Send one observation of the timer ``ml.<name>``."""
        stats.timing(metric_name(name), timedelta(seconds=seconds), tags=self._tags(name, tags))

    def _tags(self, name: str, more: dict[str, str]) -> dict[str, str]:
        return safe_tags(metric_name(name), {"pipeline": self.pipeline, "step": self.step, **more})


def metric_name(name: str) -> str:
    """Return the name on the wire, without Airflow's own prefix.

    Raises:
        ValueError: the name has characters that some part of the way to Prometheus would change or drop.
    """
    if not _NAME.fullmatch(name):
        message = f"metric name {name!r}: want lower-case letters, digits and underscores, a letter first"
        raise ValueError(message)
    return f"ml.{name}"


@contextmanager
def measured_step(pipeline: str, step: str) -> Iterator[Step]:
    """Measure the step inside: its duration always, the time of its success only if nothing was raised."""
    measured = Step(pipeline, step)
    started = time.monotonic()
    try:
        yield measured
    finally:
        seconds = time.monotonic() - started
        measured.timing("step_duration", seconds)
        log.info("step %s of %s took %.2f s", step, pipeline, seconds)
    measured.gauge("last_success_timestamp", round(time.time()))
