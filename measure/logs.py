"""From a task's first log line on the disk to an answer of Elasticsearch's search that has it."""

from collections.abc import Set

from configs.log_exporter import CANARY_DAG
from configs.task_logs import data_stream
from measure.sampling import Samples, Target, follow
from measure.stack import ANSWER_SECONDS, Stack

TARGET = Target(median=1.6, p95=2.5)
SERVICE = "airflow-scheduler"
FOLDER = f"/opt/airflow/logs/dag_id={CANARY_DAG}"
_GAP_SECONDS = 0.7
_PATIENCE_SECONDS = 60


def sample(stack: Stack, *, lines: int, count: int = 100) -> Samples:
    """Write ``count`` new logs of ``lines`` lines each, and wait for the first line of each.

    Raises:
        MeasureError: a service does not run.
    """
    try:
        events = stack.run_inside(SERVICE, "write_logs.py", FOLDER, count, _GAP_SECONDS, lines)
        delays, lost = follow(
            events,
            lambda runs: found(stack, data_stream(stack.name), runs),
            count=count,
            patience=_PATIENCE_SECONDS,
        )
    finally:
        remove(stack)
    size = "one short line" if lines == 1 else f"{lines} lines, the first"
    return Samples(way=f"new task log ({size}) → Elasticsearch", delays=delays, lost=lost, target=TARGET)


def found(stack: Stack, index: str, runs: Set[str]) -> set[str]:
    """Those of the runs whose log's first line a search finds."""
    filters = [{"terms": {"airflow.run_id": sorted(runs)}}, {"term": {"log.offset": 0}}]
    body = {
        "size": len(runs),
        "_source": ["airflow.run_id"],
        "query": {"bool": {"filter": filters}},
    }
    answer = stack.session.post(
        f"{stack.endpoints['elasticsearch']}/{index}/_search",
        auth=stack.login("elasticsearch"),
        json=body,
        timeout=ANSWER_SECONDS,
    )
    answer.raise_for_status()
    return {hit["_source"]["airflow"]["run_id"] for hit in answer.json()["hits"]["hits"]}


def remove(stack: Stack) -> None:
    """Remove the files again."""
    for _ in stack.run_inside(SERVICE, "remove_logs.py", FOLDER):
        pass
