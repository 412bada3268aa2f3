"""Read task instances' logs as Airflow's API server does: ``read_task_log.py '{"<dag>": "<state>", ...}'``.

Makes the database first, and for each DAG the run ``manual__1`` with its task instance ``load``. Prints one
JSON object: for each DAG the lines as the page of the log gets them, the link to the other place, and whether
a task's end would upload anything.
"""

import json
import sys
from datetime import UTC, datetime

from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.trigger import Trigger
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk.log import load_remote_log_handler
from airflow.serialization.serialized_objects import LazyDeserializedDAG, SerializedDAG
from airflow.utils.db import initdb
from airflow.utils.log.log_reader import TaskLogReader
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select
from sqlalchemy.orm import joinedload

now = datetime.now(UTC)


def make(session, dag_id, state):
    """Put a DAG, its run and the task instance in its state into the database."""
    with DAG(dag_id, schedule=None) as dag:
        EmptyOperator(task_id="load")
    serialized = LazyDeserializedDAG.from_dag(dag)
    SerializedDAG.bulk_write_to_db("files", None, [serialized], session=session)
    SerializedDagModel.write_dag(serialized, bundle_name="files", session=session)
    session.flush()
    run = SerializedDagModel.get_dag(dag_id, session=session).create_dagrun(
        run_id="manual__1",
        logical_date=now,
        data_interval=(now, now),
        run_type=DagRunType.MANUAL,
        state=DagRunState.RUNNING,
        triggered_by=DagRunTriggeredByType.TEST,
        run_after=now,
        session=session,
    )
    made = run.get_task_instance("load", session=session)
    made.try_number, made.state = 1, TaskInstanceState(state)


def read(session, dag_id):
    """What the page of the task instance's log gets."""
    loaded = (
        joinedload(TaskInstance.trigger).joinedload(Trigger.triggerer_job),
        joinedload(TaskInstance.dag_model),
    )
    instance = session.scalar(select(TaskInstance).where(TaskInstance.dag_id == dag_id).options(*loaded))
    reader = TaskLogReader()
    lines = [json.loads(line) for line in reader.read_log_stream(instance, 1, {})]
    link = reader.log_handler.get_external_log_url(instance, 1) if reader.supports_external_link else None
    return {"lines": lines, "link": link, "uploads": load_remote_log_handler() is not None}


initdb()
with create_session() as database:
    database.add(DagBundleModel(name="files"))
    database.flush()
    states = json.loads(sys.argv[1])
    for name, reached in states.items():
        make(database, name, reached)
    database.commit()
    answers = {name: read(database, name) for name in states}
print(json.dumps(answers))
