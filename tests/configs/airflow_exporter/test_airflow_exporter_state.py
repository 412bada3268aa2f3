"""What the exporter shows of schedules, unfinished runs, processes, deadlines and lost tasks.

The schema is Airflow's own; the rows are put there by SQL as Airflow would.
"""

import time

import pytest
from metadata_database import Database, ago, text


def scheduled(rows: Database, *due: int, next_in: int, **dag: str) -> None:
    """A DAG whose scheduled runs were due so many seconds ago, and whose next one is due in ``next_in``."""
    rows.dag(next_dagrun_create_after=ago(-next_in), **dag)
    for seconds in due:
        at = ago(seconds)
        rows.run(
            f"s{seconds}", "success", ended=seconds - 5, run_type="'scheduled'", run_after=at, logical_date=at
        )


def due_ago(page) -> list[int]:
    samples = page("airflow_dag_success_due_timestamp_seconds", values=True)
    return [round((time.time() - value) / 10) * 10 for _, value in samples]


def test_a_success_is_due_since_the_run_before_the_latest_less_a_quarter_of_its_period(rows, page):
    scheduled(rows, 100, 900, 1700, next_in=700)
    assert due_ago(page) == [900 + 200]


def test_at_most_an_hour_is_allowed_for_runs_of_unequal_length(rows, page):
    scheduled(rows, 1000, 87400, next_in=85400)
    assert due_ago(page) == [87400 + 3600]


def test_a_run_that_is_due_and_cannot_be_made_counts_as_the_latest(rows, page):
    scheduled(rows, 900, 1700, next_in=-100, exceeds_max_non_backfill="true")
    assert due_ago(page) == [900 + 200]


@pytest.mark.parametrize("dag", [{"is_paused": "true"}, {"is_stale": "true"}])
def test_no_success_is_due_of_a_dag_that_is_switched_off(rows, page, dag):
    scheduled(rows, 100, 900, next_in=700, **dag)
    assert page("airflow_dag_success_due_timestamp_seconds") == []
    assert page("airflow_dag_overdue_seconds") == []


def test_no_success_is_due_before_a_dag_had_the_time_for_one(rows, page):
    scheduled(rows, 100, next_in=700)
    assert page("airflow_dag_success_due_timestamp_seconds") == []


def test_runs_by_hand_and_backfills_are_no_part_of_the_schedule(rows, page):
    scheduled(rows, 100, 900, next_in=700)
    rows.run("by hand", "success", ended=40, logical_date=ago(50), run_after=ago(50))
    rows.run("old", "success", ended=30, run_type="'backfill'", logical_date=ago(60), run_after=ago(60))
    assert due_ago(page) == [900 + 200]
    [(labels, succeeded)] = page("airflow_dag_last_success_timestamp_seconds", values=True)
    assert labels == {"dag_id": "a"}
    assert time.time() - succeeded == pytest.approx(30, abs=10)


def overdue(page) -> float:
    [(_, value)] = page("airflow_dag_overdue_seconds", values=True)
    return value


def test_a_run_that_is_due_and_not_made_is_overdue(rows, page):
    scheduled(rows, 900, next_in=-100)
    assert overdue(page) == pytest.approx(100, abs=10)


def test_a_run_that_is_made_and_does_not_start_is_overdue(rows, page):
    rows.dag()
    rows.run("r", "queued", queued_at=ago(200), run_after=ago(300))
    assert overdue(page) == pytest.approx(200, abs=10)


def test_a_dag_that_keeps_to_its_own_limit_of_runs_is_not_overdue(rows, page):
    rows.dag(max_active_runs="1", next_dagrun_create_after=ago(100), exceeds_max_non_backfill="true")
    rows.run("running", "running")
    rows.run("waiting", "queued", queued_at=ago(200), run_after=ago(300))
    assert overdue(page) == 0


@pytest.mark.parametrize(
    ("allowed", "late"), [("null", True), ('["scheduled"]', True), ('["manual"]', False)]
)
def test_a_dag_that_allows_no_scheduled_runs_is_not_overdue(rows, page, allowed, late):
    rows.dag(next_dagrun_create_after=ago(100), allowed_run_types=text(allowed))
    assert (overdue(page) > 0) == late


def test_running_runs_with_what_is_usual_and_whether_anything_moves(rows, page):
    rows.dag()
    rows.run("r1", "success", ended=1000)
    rows.execute("update dag_run set start_date = end_date - interval '90 s'")
    rows.run("moves", "running", start_date=ago(300))
    rows.task("moves", "t", "success")
    rows.task("moves", "u", "deferred")
    rows.run("stuck", "running", start_date=ago(600))
    rows.task("stuck", "t", "success")
    idle = {labels["run_id"]: value for labels, value in page("airflow_dag_run_idle", values=True)}
    assert idle == {"moves": 0, "stuck": 1}
    usual = {labels["run_id"]: value for labels, value in page("airflow_dag_run_usual_seconds", values=True)}
    assert usual == {"moves": 90, "stuck": 90}
    running = {
        labels["run_id"]: value for labels, value in page("airflow_dag_run_running_seconds", values=True)
    }
    assert running == {"moves": pytest.approx(300, abs=10), "stuck": pytest.approx(600, abs=10)}
    assert page("airflow_dag_runs", values=True) == [({"dag_id": "a", "state": "running"}, 2)]


def test_how_long_tasks_wait(rows, page):
    rows.dag()
    rows.dag("paused", is_paused="true")
    rows.run("r", "running")
    rows.run("r", "running", dag_id="paused")
    rows.task("r", "t", "scheduled", scheduled_dttm=ago(50))
    rows.task("r", "u", "scheduled", scheduled_dttm=ago(70))
    rows.task("r", "v", "queued", scheduled_dttm=ago(90), queued_dttm=ago(30))
    rows.task("r", "t", "scheduled", scheduled_dttm=ago(500), dag_id="paused")
    waiting = {labels["state"]: value for labels, value in page("airflow_task_waiting_seconds", values=True)}
    assert waiting == {"scheduled": pytest.approx(70, abs=10), "queued": pytest.approx(30, abs=10)}


def test_processes_that_beat_that_were_stopped_and_that_were_killed(rows, page):
    def job(job_type: str, state: str, seconds: int) -> None:
        rows.execute(
            "insert into job (job_type, state, latest_heartbeat)"
            f" values ({text(job_type)}, {text(state)}, {ago(seconds)})"
        )

    job("SchedulerJob", "running", 2)
    job("SchedulerJob", "running", 120)
    job("SchedulerJob", "failed", 300)
    job("SchedulerJob", "success", 200)
    job("SchedulerJob", "running", 3600)
    job("TriggererJob", "running", 120)

    def of(metric: str) -> dict[str, float]:
        return {labels["service"]: value for labels, value in page(metric, values=True)}

    assert of("airflow_jobs_alive") == {"airflow-scheduler": 1, "airflow-dag-processor": 0}
    assert of("airflow_jobs_lost") == {"airflow-scheduler": 2, "airflow-dag-processor": 0}
    assert of("airflow_job_heartbeat_age_seconds") == {"airflow-scheduler": pytest.approx(2, abs=10)}


def test_missed_deadlines(rows, page):
    rows.dag()
    runs = {"runs": ("running", 7200), "just now": ("success", 60), "long ago": ("success", 7200)}
    for run_id, (state, _) in {**runs, "kept": ("success", 60)}.items():
        rows.run(run_id, state)
    callback = "insert into callback (id, type, fetch_method, data, priority_weight, created_at) values"
    rows.execute("truncate callback cascade")
    rows.execute(f"{callback} ('00000000-0000-0000-0000-000000000001', '', '', '{{}}', 1, now())")
    for run_id, (_, seconds) in {**runs, "kept": ("success", 60)}.items():
        rows.execute(
            "insert into deadline (id, created_at, last_updated_at, dagrun_id, deadline_time, missed,"
            f" callback_id) select gen_random_uuid(), now(), {ago(seconds)}, id, {ago(seconds)},"
            f" {run_id != 'kept'}, '00000000-0000-0000-0000-000000000001'"
            f" from dag_run where run_id = {text(run_id)}"
        )
    assert {labels["run_id"] for labels in page("airflow_deadline_missed")} == {"runs", "just now"}


def test_tasks_that_were_given_up_or_ended_without_a_word(rows, page):
    for event, seconds in (("heartbeat timeout", 60), ("state mismatch", 60), ("heartbeat timeout", 3600)):
        rows.execute(
            "insert into log (dttm, event, dag_id, task_id, run_id, map_index, try_number)"
            f" values ({ago(seconds)}, {text(event)}, 'a', {text(event[:5] + str(seconds))}, 'r', -1, 1)"
        )
    expected = {"dag_id": "a", "run_id": "r", "map_index": "-1", "try_number": "1"}
    assert page("airflow_task_heartbeat_lost") == [expected | {"task_id": "heart60"}]
    assert page("airflow_task_killed_externally") == [expected | {"task_id": "state60"}]


def test_waits_that_no_triggerer_takes(rows, page):
    for seconds, triggerer in ((120, "null"), (10, "null"), (120, "1")):
        rows.execute(
            "insert into trigger (classpath, kwargs, created_date, triggerer_id)"
            f" values ('', '', {ago(seconds)}, {triggerer})"
        )
    assert page("airflow_triggers_unassigned", values=True) == [({}, 1)]
