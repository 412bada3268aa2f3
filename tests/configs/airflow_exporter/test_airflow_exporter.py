"""Which runs and tasks the exporter shows as failed, asked while they fail, run again and succeed.

The schema is Airflow's own, made by the platform's migration, and one run is written by Airflow itself; all
other rows are put there by SQL as Airflow would. Cannot decide that Airflow's scheduler writes its rows this
way: the end-to-end tests do.
"""

from elastic.containers import run_to_end
from metadata_database import DAG_FILE, ENVIRONMENT, MEBIBYTE, SECRETS, TRACED, USER, ago, text

from configs import airflow


def failed_run(run_id: str, trace_id: str = "", **labels: str) -> dict[str, str]:
    return {"dag_id": "a", "run_id": run_id, "run_type": "manual", "trace_id": trace_id, **labels}


def failed_task(run_id: str, task_id: str = "t", **labels: str) -> dict[str, str]:
    standard = {"dag_id": "a", "map_index": "-1", "try_number": "1", "trace_id": ""}
    return {"run_id": run_id, "task_id": task_id, **standard, **labels}


def test_a_run_that_airflow_itself_wrote_names_its_failed_task(net, rows, page):
    runner = net.start(
        "airflow",
        user=USER,
        memory=1024 * MEBIBYTE,
        command=["dags", "test", "written-by.airflow"],
        environment=ENVIRONMENT,
        files=dict(airflow.migration_files()) | {f"{airflow.HOME}/dags/written.py": DAG_FILE},
        secrets=SECRETS,
        alias="runner",
    )
    _, log = run_to_end(runner)
    runs = rows.execute("select run_id from dag_run where dag_id = 'written-by.airflow'")
    assert len(runs) == 1, log[-3000:]
    run = page("airflow_dag_run_failed")
    assert run == [failed_run(runs[0], dag_id="written-by.airflow")]
    assert page("airflow_task_failed") == [
        failed_task(runs[0], "part", dag_id="written-by.airflow", map_index="1")
    ]


def test_nothing_has_failed_yet(rows, page):
    rows.dag()
    rows.run("r", "success")
    rows.task("r", "t", "success")
    assert page("airflow_dag_run_failed") == []
    assert page("airflow_task_failed") == []


def test_the_first_failure_ever_and_its_end_by_a_later_success(rows, page):
    rows.dag()
    rows.run("first", "failed", ended=20)
    rows.task("first", "t", "failed")
    rows.task("first", "after", "upstream_failed")
    assert page("airflow_dag_run_failed") == [failed_run("first")]
    assert page("airflow_task_failed") == [failed_task("first")]
    rows.run("second", "success", ended=10)
    assert page("airflow_dag_run_failed") == []
    assert page("airflow_task_failed") == []


def test_a_further_failure_is_shown_with_its_own_run(rows, page):
    rows.dag()
    for run_id, ended in (("first", 20), ("second", 10)):
        rows.run(run_id, "failed", ended=ended)
        rows.task(run_id, "t", "failed")
    assert page("airflow_dag_run_failed") == [failed_run("second")]
    assert page("airflow_task_failed") == [failed_task("second")]


def test_the_run_that_ended_last_counts_and_not_the_one_that_was_made_last(rows, page):
    rows.dag()
    rows.run("made last, ended first", "success", ended=20, run_after="now()")
    rows.run("made first, ended last", "failed", ended=10, run_after=ago(3600))
    assert page("airflow_dag_run_failed") == [failed_run("made first, ended last")]


def test_a_failure_stays_while_the_next_run_runs(rows, page):
    rows.dag()
    rows.run("failed", "failed", ended=20)
    rows.task("failed", "t", "failed")
    rows.run("next", "running")
    rows.task("next", "t", "running")
    assert page("airflow_dag_run_failed") == [failed_run("failed")]
    assert page("airflow_task_failed") == [failed_task("failed")]


def test_clearing_ends_a_failure_and_the_next_try_is_another_one(rows, page):
    rows.dag()
    rows.run("r", "failed", ended=20)
    rows.task("r", "t", "failed")
    rows.execute("update task_instance set state = null")
    rows.execute("update dag_run set state = 'queued', end_date = null, start_date = null")
    assert page("airflow_dag_run_failed") == []
    assert page("airflow_task_failed") == []
    rows.execute("update task_instance set state = 'failed', try_number = 2")
    rows.execute("update dag_run set state = 'failed', end_date = now()")
    assert page("airflow_task_failed") == [failed_task("r", try_number="2")]


def test_a_task_is_told_before_its_run_ends_and_forgotten_if_the_run_succeeds(rows, page):
    rows.dag()
    rows.run("r", "running")
    rows.task("r", "t", "failed")
    rows.task("r", "retried", "up_for_retry")
    rows.task("r", "other", "running")
    assert page("airflow_dag_run_failed") == []
    assert page("airflow_task_failed") == [failed_task("r")]
    rows.execute("update dag_run set state = 'success', end_date = now()")
    assert page("airflow_task_failed") == []


def test_every_instance_of_a_mapped_task_is_told(rows, page):
    rows.dag()
    rows.run("r", "failed")
    for index, state in enumerate(["failed", "success", "failed"]):
        rows.task("r", "t", state, map_index=str(index))
    assert sorted(labels["map_index"] for labels in page("airflow_task_failed")) == ["0", "2"]


def test_ids_with_odd_characters_arrive_as_they_are(rows, page):
    dag_id, run_id = "größe.v-1", 'manual__2026-01-02T03:04:05.6+00:00 "a\\b"\nc\'d'
    rows.dag(dag_id)
    rows.run(run_id, "failed", dag_id=dag_id)
    rows.task(run_id, "gruppe.täsk", "failed", dag_id=dag_id)
    assert page("airflow_dag_run_failed") == [failed_run(run_id, dag_id=dag_id)]
    assert page("airflow_task_failed") == [failed_task(run_id, "gruppe.täsk", dag_id=dag_id)]


def test_only_a_traced_run_has_a_trace(rows, page):
    rows.dag("a")
    rows.dag("b")
    rows.run("r", "failed", context_carrier=text(TRACED))
    rows.run("r", "failed", dag_id="b", context_carrier=text(TRACED.replace('-01"', '-00"')))
    traces = {labels["dag_id"]: labels["trace_id"] for labels in page("airflow_dag_run_failed")}
    assert traces == {"a": "0af7651916cd43dd8448eb211c80319c", "b": ""}


def test_a_dag_whose_file_is_gone_is_forgotten_and_one_whose_file_is_broken_is_not(rows, page):
    for dag_id in ("gone", "broken"):
        rows.dag(dag_id, is_stale="true")
        rows.run("r", "failed", dag_id=dag_id)
    rows.execute("insert into import_error (filename, bundle_name) values ('broken.py', 'dags')")
    assert [labels["dag_id"] for labels in page("airflow_dag_run_failed")] == ["broken"]
    assert page("airflow_dag_import_error") == [{"bundle": "dags", "file": "broken.py"}]


def test_of_too_many_failures_the_newest_are_shown_and_the_page_says_so(rows, page):
    rows.dag()
    rows.run("r", "failed")
    rows.execute(
        "insert into task_instance (id, dag_id, run_id, task_id, map_index, state, try_number, pool,"
        " pool_slots, span_status, end_date)"
        " select gen_random_uuid(), 'a', 'r', 't', n, 'failed', 1, '', 1, '',"
        " now() + n * interval '1 s' from generate_series(1, 2500) as n"
    )
    shown = {int(labels["map_index"]) for labels in page("airflow_task_failed")}
    assert shown == set(range(501, 2501))
    truncated = {labels["metric"]: value for labels, value in page("airflow_exporter_truncated", values=True)}
    assert truncated["airflow_task_failed"] == 1
    assert truncated["airflow_dag_run_failed"] == 0
