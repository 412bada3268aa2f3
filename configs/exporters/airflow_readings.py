"""What is asked of Airflow's metadata database, and what the answers are called in Prometheus."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_ROWS = 2000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One query: its first columns are labels, each further one the value of a metric; null is no sample.

    Attributes:
        query: the newest or worst first; no more than ``MOST_ROWS`` rows are shown.
        metrics: name -> help, in the order of the columns.
    """

    labels: tuple[str, ...]
    metrics: Mapping[str, str]
    query: str


# Empty for a run that is not traced: its id leads nowhere.
_TRACE_ID = """
    case when context_carrier #>> '{__var,traceparent}' like '%%-01'
         then split_part(context_carrier #>> '{__var,traceparent}', '-', 2) else '' end as trace_id
"""
# A DAG whose file is gone cannot succeed any more; one whose file is broken for now is still there.
_LATEST_FAILED = f"""
    select dag.dag_id, run.run_id, run.run_type, run.trace_id, run.end_date
      from dag cross join lateral (
           select run_id, run_type, state, end_date, {_TRACE_ID} from dag_run
            where dag_run.dag_id = dag.dag_id and state in ('success', 'failed')
            order by end_date desc nulls last limit 1) as run
     where run.state = 'failed' and (not dag.is_stale or exists (
           select from import_error
            where filename = dag.relative_fileloc and import_error.bundle_name = dag.bundle_name))
"""

FAILED_RUNS = Reading(
    labels=("dag_id", "run_id", "run_type", "trace_id"),
    metrics={"airflow_dag_run_failed": "The DAG's run that finished last has failed."},
    query=f"""
    select dag_id, run_id, run_type, trace_id, 1 from ({_LATEST_FAILED}) as failed
     order by end_date desc nulls last
    """,
)
# "offset 0" keeps the planner from collecting every failed task of all times first.
FAILED_TASKS = Reading(
    labels=("dag_id", "task_id", "map_index", "run_id", "try_number", "trace_id"),
    metrics={
        "airflow_task_failed": "The task has failed, in a run that runs or that failed as its DAG's latest."
    },
    query=f"""
    with shown as materialized (
         select dag_id, run_id, trace_id from ({_LATEST_FAILED}) as failed
          union all
         select dag_id, run_id, {_TRACE_ID} from dag_run where state = 'running')
    select dag_id, task_id, map_index, run_id, try_number, trace_id, 1
      from shown cross join lateral (
           select task_id, map_index, try_number, end_date from task_instance
            where dag_id = shown.dag_id and run_id = shown.run_id and state = 'failed' offset 0) as task
     order by end_date desc nulls last
    """,
)
# A success is due from one scheduled run until the next. "due" are the last times at which a run was due,
# the latest first. A quarter of the time between them, at most an hour, is allowed for runs of unequal
# length.
DAGS = Reading(
    labels=("dag_id",),
    metrics={
        "airflow_dag_last_success_timestamp_seconds": "When a run of the DAG last ended well.",
        "airflow_dag_success_due_timestamp_seconds": "Since when, by its schedule, a success has been due.",
        "airflow_dag_overdue_seconds": "How long a run has been due that neither a pause nor the DAG's "
        "own limit of runs holds back.",
        "airflow_dag_parse_duration_seconds": "How long the DAG's file was last parsed.",
    },
    query="""
    with known as (
         select dag_id, last_parse_duration, next_dagrun_create_after as next,
                not exceeds_max_non_backfill and coalesce(
                    jsonb_typeof(allowed_run_types::jsonb) <> 'array'
                    or allowed_run_types::jsonb @> '"scheduled"', true) as may_be_created,
                (select end_date from dag_run
                  where dag_run.dag_id = dag.dag_id and state in ('success', 'failed') and state = 'success'
                  order by end_date desc nulls last limit 1) as succeeded,
                (select min(greatest(queued_at, run_after)) from dag_run
                  where dag_run.dag_id = dag.dag_id and state = 'queued' and run_type <> 'backfill'
                    and dag.max_active_runs > (
                        select count(*) from dag_run as running
                         where running.dag_id = dag.dag_id and running.state = 'running')) as queued,
                case when next_dagrun_create_after is not null then array(
                    select run_after from dag_run
                     where dag_run.dag_id = dag.dag_id and logical_date is not null and run_type = 'scheduled'
                     order by logical_date desc limit 2) end as created,
                not is_paused as active
           from dag where not is_stale),
         scheduled as (
         select *, case when next > now() then created else next || created end as due from known)
    select dag_id, extract(epoch from succeeded),
           case when active
                then extract(epoch from due[2] - least((due[1] - due[2]) / 4, interval '1 h')) end,
           case when active then extract(epoch from greatest(
               case when may_be_created then now() - next end, now() - queued, interval '0')) end,
           last_parse_duration
      from scheduled order by dag_id
    """,
)
RUNS = Reading(
    labels=("dag_id", "state"),
    metrics={"airflow_dag_runs": "Runs that are queued or running."},
    query="""
    select dag_id, state, count(*) from (
           select dag_id, state from dag_run where state = 'running'
            union all
           select dag_id, state from dag_run where state = 'queued') as unfinished
     group by dag_id, state order by 3 desc
    """,
)
RUNNING = Reading(
    labels=("dag_id", "run_id"),
    metrics={
        "airflow_dag_run_running_seconds": "How long the run has been running.",
        "airflow_dag_run_usual_seconds": "The longest of the DAG's last ten runs that ended well.",
        "airflow_dag_run_idle": "Whether none of the tasks of the run is on its way: nothing will end it.",
    },
    query="""
    select run.dag_id, run.run_id, extract(epoch from now() - run.start_date),
           (select max(extract(epoch from end_date - start_date)) from (
                   select start_date, end_date from dag_run
                    where dag_run.dag_id = run.dag_id and state in ('success', 'failed') and state = 'success'
                    order by end_date desc nulls last limit 10) as latest),
           case when not dag.is_paused and not exists (
                     select from task_instance as task
                      where task.dag_id = run.dag_id and task.run_id = run.run_id and task.state in (
                            'scheduled', 'queued', 'running', 'restarting', 'up_for_retry',
                            'up_for_reschedule', 'deferred', 'awaiting_input')) then 1 else 0 end
      from dag_run as run join dag using (dag_id)
     where run.state = 'running' order by run.start_date
    """,
)
WAITING = Reading(
    labels=("dag_id", "state"),
    metrics={
        "airflow_task_waiting_seconds": "How long the DAG's longest waiting task has been scheduled, that is "
        "without a slot, or queued, that is with a slot and without a process."
    },
    query="""
    select dag_id, state, max(extract(epoch from now() - case state
               when 'queued' then queued_dttm else scheduled_dttm end))
      from task_instance join dag using (dag_id)
     where state in ('scheduled', 'queued') and not is_paused
     group by dag_id, state order by 3 desc nulls last
    """,
)
IMPORT_ERRORS = Reading(
    labels=("bundle", "file"),
    metrics={"airflow_dag_import_error": "The DAG file cannot be imported."},
    query="select coalesce(bundle_name, ''), filename, 1 from import_error group by 1, 2 order by 2",
)
# Processes beat every 5 s. One that is stopped says so in its state; one that was killed does not.
JOBS = Reading(
    labels=("service", "job_type"),
    metrics={
        "airflow_jobs_alive": "Processes of the service that have beaten within the last 30 s.",
        "airflow_jobs_lost": "Those that fell silent within the last 15 min without having been stopped.",
        "airflow_job_heartbeat_age_seconds": "Time since the latest heartbeat of any of them.",
    },
    query="""
    select wanted.service, wanted.job_type,
           count(*) filter (where state = 'running' and latest_heartbeat > now() - interval '30 s'),
           count(*) filter (
               where state in ('running', 'failed') and latest_heartbeat <= now() - interval '30 s'),
           (select extract(epoch from now() - max(latest_heartbeat)) from job
             where job.job_type = wanted.job_type)
      from unnest(%(services)s, %(job_types)s) as wanted(service, job_type)
      left join job on job.job_type = wanted.job_type and latest_heartbeat > now() - interval '15 min'
     group by wanted.service, wanted.job_type order by 1
    """,
)
DEADLINES = Reading(
    labels=("dag_id", "run_id"),
    metrics={
        "airflow_deadline_missed": "Deadlines that the run missed, within the last hour or while it runs."
    },
    query="""
    select dag_id, run_id, count(*) from deadline join dag_run on dag_run.id = deadline.dagrun_id
     where missed and deadline_time > now() - interval '7 d'
       and (state in ('queued', 'running') or last_updated_at > now() - interval '1 h')
     group by dag_id, run_id order by max(deadline_time) desc
    """,
)
EVENTS = Reading(
    labels=("dag_id", "task_id", "map_index", "run_id", "try_number"),
    metrics={
        "airflow_task_heartbeat_lost": "Within the last 10 min the task fell silent and was given up.",
        "airflow_task_killed_externally": "Within the last 10 min the task's process ended without a word.",
    },
    query="""
    select dag_id, task_id, coalesce(map_index, -1), run_id, coalesce(try_number, 0),
           max(1) filter (where event = 'heartbeat timeout'), max(1) filter (where event = 'state mismatch')
      from log
     where dttm > now() - interval '10 min' and event in ('heartbeat timeout', 'state mismatch')
       and run_id is not null
     group by 1, 2, 3, 4, 5 order by max(dttm) desc
    """,
)
TRIGGERS = Reading(
    labels=(),
    metrics={"airflow_triggers_unassigned": "Deferred waits that no triggerer has taken for a minute."},
    query="""
    select count(*) from trigger where triggerer_id is null and created_date < now() - interval '1 min'
    """,
)
READINGS = (
    FAILED_RUNS, FAILED_TASKS, DAGS, RUNS, RUNNING, WAITING, IMPORT_ERRORS, JOBS, DEADLINES, EVENTS, TRIGGERS,
)  # fmt: skip
