"""A complete small pipeline: tell malignant from benign tumours by measurements of cell nuclei.

Ingest, features, train, evaluate, batch_predict, on the data set that comes with scikit-learn: it needs no
network. Each task sends its rows, duration and scores (see ``ml_metrics``) and logs what it did. Training
keeps a reference of its rows, and prediction compares the new ones with it (see ``drift``): the parameter
``drift`` makes them come from a badly calibrated instrument.
Tasks hand each other file names; the files lie in a directory of the run's own in the shared data volume, and
those of the last ten runs are kept. Started by hand or through the API only.
"""

import csv
import json
import logging
import re
import shutil
from datetime import timedelta
from pathlib import Path
from time import monotonic

from airflow.sdk import Param, dag, get_current_context, task
from measurements import LABEL, malformed, miscalibration, split_valid
from ml_metrics import measured_step

log = logging.getLogger(__name__)

PIPELINE = "breast_cancer"
MODEL = "logistic_regression"
DATA = Path("/opt/airflow/data") / PIPELINE
REFERENCE = "reference.npz"
KEPT_RUNS = 10
MAX_REJECTED_SHARE = 0.05
# Two measurements that say the same (radius and perimeter) make the model's weights meaningless.
MAX_CORRELATION = 0.95
MIN_AUC = 0.95
BATCH_ROWS = 16
# What the parameter "drift" makes of the scale: a tenth too much would be lost among patients, this is not.
DRIFTED_SCALE = 1.4
SEED = 20


def _run_directory() -> Path:
    """This run's directory; a run id holds characters that not every file system takes."""
    run_id = get_current_context()["run_id"]
    directory = DATA / re.sub(r"[^A-Za-z0-9_.-]", "_", run_id)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _forget_old_runs() -> None:
    by_age = sorted(DATA.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for directory in by_age[KEPT_RUNS:]:
        log.info("removing %s: only the last %d runs are kept", directory.name, KEPT_RUNS)
        shutil.rmtree(directory)


@task
def ingest() -> str:
    """Read the measurements, reject malformed rows (some are made so on purpose), and write the rest."""
    import numpy as np
    from sklearn.datasets import load_breast_cancer

    with measured_step(PIPELINE, "ingest") as step:
        directory = _run_directory()
        _forget_old_runs()
        source = load_breast_cancer()
        names = [str(name) for name in source.feature_names]
        rows = [
            {**dict(zip(names, map(float, values), strict=True)), LABEL: int(label)}
            for values, label in zip(source.data, source.target, strict=True)
        ]
        rows += malformed(rows[0], names)
        valid, rejected = split_valid(rows, names)
        for number, reason in rejected:
            log.warning("row %d rejected: %s", number, reason)
        lines = [json.dumps({"row": number, "reason": reason}) for number, reason in rejected]
        (directory / "rejected.jsonl").write_text("".join(f"{line}\n" for line in lines))
        target = directory / "ingested.npz"
        np.savez(
            target,
            names=np.array(names),
            values=np.array([[row[name] for name in names] for row in valid]),
            labels=np.array([row[LABEL] for row in valid]),
        )
        log.info(
            "ingested %d rows of %d measurements each, rejected %d", len(valid), len(names), len(rejected)
        )
        step.rows(ingested=len(valid), rejected=len(rejected), out=len(valid))
        step.data_bytes(target.stat().st_size)
        if len(rejected) > MAX_REJECTED_SHARE * len(rows):
            message = f"{len(rejected)} of {len(rows)} rows were rejected: is this the right source?"
            raise ValueError(message)
    return str(target)


@task
def features(ingested: str) -> str:
    """Split into training, test and new rows, and drop measurements that say the same as another."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    with measured_step(PIPELINE, "features") as step:
        with np.load(ingested) as source:
            names, values, labels = source["names"], source["values"], source["labels"]
        known, new, known_labels, _ = train_test_split(
            values, labels, test_size=0.2, random_state=SEED, stratify=labels
        )
        if get_current_context()["params"]["drift"]:
            log.warning("the new rows drift on purpose: the instrument's scale is %.1f", DRIFTED_SCALE)
            new = new * miscalibration(names.tolist(), DRIFTED_SCALE)
        train, test, train_labels, test_labels = train_test_split(
            known, known_labels, test_size=0.25, random_state=SEED, stratify=known_labels
        )
        # Judged on the training rows alone: what the test rows would say must not shape the model.
        correlation = np.abs(np.corrcoef(train, rowvar=False))
        earlier = np.triu(correlation, k=1)
        kept = ~(earlier > MAX_CORRELATION).any(axis=0)
        log.info("kept %d of %d measurements, dropped %s", kept.sum(), len(names), ", ".join(names[~kept]))
        target = Path(ingested).with_name("features.npz")
        np.savez(
            target,
            names=names[kept],
            train=train[:, kept],
            train_labels=train_labels,
            test=test[:, kept],
            test_labels=test_labels,
            new=new[:, kept],
        )
        log.info("rows: %d for training, %d for the test, %d new", len(train), len(test), len(new))
        step.rows(ingested=len(values), rejected=0, out=len(train) + len(test) + len(new))
        step.data_bytes(target.stat().st_size)
    return str(target)


@task
def train(prepared: str) -> str:
    """Fit a logistic regression on standardised measurements, and keep what it was fitted on."""
    import joblib
    import numpy as np
    from drift import Reference
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with measured_step(PIPELINE, "train") as step:
        with np.load(prepared) as source:
            names, rows, labels = source["names"].tolist(), source["train"], source["train_labels"]
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED))
        model.fit(rows, labels)
        loss = log_loss(labels, model.predict_proba(rows))
        target = Path(prepared).with_name("model.joblib")
        joblib.dump(model, target)
        Reference.of(names, rows).save(target.with_name(REFERENCE))
        log.info("trained on %d rows of %d measurements: loss %.4f", *rows.shape, loss)
        step.rows(ingested=len(rows), rejected=0)
        step.score("loss", float(loss), model=MODEL)
        step.data_bytes(target.stat().st_size)
    return str(target)


@task
def evaluate(prepared: str, trained: str) -> dict[str, float]:
    """Score the model on rows that it has not seen; fail if it is no good."""
    import joblib
    import numpy as np
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    with measured_step(PIPELINE, "evaluate") as step:
        model = joblib.load(trained)
        with np.load(prepared) as source:
            rows, labels = source["test"], source["test_labels"]
        predicted = model.predict(rows)
        scores = {
            "auc": float(roc_auc_score(labels, model.predict_proba(rows)[:, 1])),
            "f1": float(f1_score(labels, predicted)),
            "accuracy": float(accuracy_score(labels, predicted)),
        }
        for name, value in scores.items():
            log.info("%s %.4f on %d test rows", name, value, len(rows))
            step.score(name, value, model=MODEL)
        step.rows(ingested=len(rows), rejected=0)
        if scores["auc"] < MIN_AUC:
            message = f"the model is no good: auc {scores['auc']:.4f} on the test rows, want {MIN_AUC}"
            raise ValueError(message)
    return scores


@task
def batch_predict(prepared: str, trained: str, scores: dict[str, float]) -> str:
    """Predict the new rows in batches, once the scores have passed, and tell whether they drift."""
    import joblib
    import numpy as np
    from drift import Reference

    with measured_step(PIPELINE, "batch_predict") as step:
        model = joblib.load(trained)
        with np.load(prepared) as source:
            rows = source["new"]
        step.drift(Reference.load(Path(trained).with_name(REFERENCE)).compare(rows), model=MODEL)
        target = Path(trained).with_name("predictions.csv")
        positive = 0
        with target.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "benign_probability"])
            for start in range(0, len(rows), BATCH_ROWS):
                started = monotonic()
                probabilities = model.predict_proba(rows[start : start + BATCH_ROWS])[:, 1]
                step.serving_latency(monotonic() - started)
                writer.writerows((start + i, f"{value:.6f}") for i, value in enumerate(probabilities))
                positive += int((probabilities >= 0.5).sum())
        log.info("predicted %d rows, %d of them benign, auc %.4f", len(rows), positive, scores["auc"])
        step.rows(ingested=len(rows), rejected=0, out=len(rows))
        step.predictions(len(rows))
        step.data_bytes(target.stat().st_size)
    return str(target)


@dag(
    dag_id=PIPELINE,
    schedule=None,
    max_active_runs=1,
    params={
        "drift": Param(
            False,
            type="boolean",
            title="Drift",
            description="Make the new rows drift, as if a badly calibrated instrument had measured them.",
        )
    },
    default_args={"owner": "ml-platform", "retries": 1, "retry_delay": timedelta(seconds=10)},
    dagrun_timeout=timedelta(minutes=15),
    tags=["ml", "example"],
    doc_md=__doc__,
)
def pipeline() -> None:
    """Wire the tasks."""
    ingested = ingest()
    prepared = features(ingested)
    trained = train(prepared)
    scores = evaluate(prepared, trained)
    batch_predict(prepared, trained, scores)


pipeline()
