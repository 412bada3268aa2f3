"""Alerts about Airflow's metadata database, without which nothing of Airflow works."""

from configs.dashboards import uids
from configs.links import Links
from configs.postgres import DATABASE
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "postgres"

INHIBITIONS = (
    # The API server says that it is not well, and the exporter of the database's contents fails.
    Inhibition(source="PostgresDown", targets=('alertname="EndpointDown"', 'service="airflow-api-server"')),
    Inhibition(source="PostgresDown", targets=('alertname="TargetDown"', 'job="airflow-exporter"')),
    Inhibition(source="ContainerDown", targets=('alertname="PostgresDown"',), equal=("service",)),
    Inhibition(source="PostgresConnectionsExhausted", targets=('alertname="PostgresConnectionsHigh"',)),
)

_OURS = f'datname="{DATABASE}"'
# Vacuum works for minutes in one transaction, as it should.
_CLIENTS = f'{_OURS}, backend_type="client backend"'


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about the server, its sessions and its tables."""
    more = links.dashboard(uids.INFRASTRUCTURE) | links.service_logs("postgres")
    rules = (*_server(more), *_sessions(more), *_storage(more))
    return (RuleGroup(component=COMPONENT, rules=rules),)


def _server(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="PostgresDown",
            expression="max(pg_up) == 0",
            hold=30,
            severity="critical",
            summary="Postgres, Airflow's database, does not answer",
            description="Airflow starts nothing and answers nobody, and which runs fail is not known "
            "meanwhile. Tasks that run go on for a while.",
            labels={"service": "postgres"},
            links=more,
        ),
        AlertRule(
            name="PostgresRestarted",
            expression="changes(pg_postmaster_start_time_seconds[15m]) > 0",
            severity="info",
            summary="Postgres was restarted within the last quarter of an hour",
            description="All sessions were cut off. If nobody did it on purpose, look for the reason.",
            links=more,
        ),
        AlertRule(
            name="PostgresFiguresMissing",
            expression="max by (collector) (1 - pg_scrape_collector_success) == 1 and on () max(pg_up) == 1",
            hold=300,
            severity="warning",
            summary="Some figures of Postgres are missing: {{ $labels.collector }}",
            description="For five minutes its exporter could not read them, though the database answers. "
            "Alerts that need them cannot fire.",
            links=more,
        ),
    )


def _sessions(more: dict[str, str]) -> tuple[AlertRule, ...]:
    share = "sum(pg_stat_activity_count) / max(pg_settings_max_connections)"
    return (
        AlertRule(
            name="PostgresConnectionsHigh",
            expression=f"{share} > 0.8",
            hold=120,
            severity="warning",
            summary="Postgres has {{ $value | humanizePercentage }} of its connections in use",
            description="Without a free one Airflow's processes and tasks fail.",
            links=more,
        ),
        AlertRule(
            name="PostgresConnectionsExhausted",
            expression=f"{share} > 0.95",
            hold=30,
            severity="critical",
            summary="Postgres has hardly a connection left: {{ $value | humanizePercentage }} are in use",
            description="Whoever asks for a new one is refused soon: tasks fail, probes too.",
            links=more,
        ),
        AlertRule(
            name="PostgresTransactionLong",
            expression="max by (state, application_name)"
            f" (pg_stat_activity_max_tx_duration{{{_CLIENTS}}}) > 300",
            severity="warning",
            summary="Postgres has had a transaction open for {{ $value | humanizeDuration }}, {{ "
            "$labels.state }}",
            description="It may hold locks that others wait for, and keeps dead rows from being removed. Its "
            "client calls itself {{ if $labels.application_name }}{{ $labels.application_name }}{{ else "
            "}}nothing{{ end }}.",
            links=more,
        ),
        AlertRule(
            name="PostgresLockWaits",
            expression=f'sum(pg_stat_activity_count{{{_CLIENTS}, wait_event_type="Lock"}}) > 0',
            hold=120,
            severity="warning",
            summary="{{ $value }} sessions of Postgres have been waiting for locks",
            description="For two minutes, without a break, somebody waited: a transaction holds what others "
            "need.",
            links=more,
            born_by_event=frozenset({'pg_stat_activity_count{wait_event_type="Lock"}'}),
        ),
        AlertRule(
            name="PostgresDeadlocks",
            expression=f"increase(pg_stat_database_deadlocks{{{_OURS}}}[10m]) > 5",
            severity="warning",
            summary="Postgres broke {{ $value | humanize }} deadlocks within ten minutes",
            description="Airflow repeats what was broken, but more than a few say that its processes block "
            "each other.",
            links=more,
        ),
    )


def _storage(more: dict[str, str]) -> tuple[AlertRule, ...]:
    hit, read = (f"rate(pg_stat_database_blks_{kind}{{{_OURS}}}[10m])" for kind in ("hit", "read"))
    dead, live = (f"pg_stat_user_tables_n_{kind}_tup{{{_OURS}}}" for kind in ("dead", "live"))
    return (
        AlertRule(
            name="PostgresCacheMisses",
            expression=f"{hit} / ({hit} + {read}) < 0.9 and {read} > 100",
            hold=600,
            severity="warning",
            summary="Postgres finds only {{ $value | humanizePercentage }} of its pages in memory",
            description="For ten minutes it has been reading more than a hundred pages per second from the "
            "disk: its tables have outgrown it.",
            links=more,
        ),
        AlertRule(
            name="PostgresTableNotVacuumed",
            expression=f"{dead} > 50000 and {dead} > {live}",
            hold=3600,
            severity="warning",
            summary="More than half of the table {{ $labels.relname }} of Postgres is dead rows",
            description="{{ $value | humanize }} of them for an hour: they slow down whoever reads the "
            "table. A transaction that is open for long, or a lock, keeps vacuum from its work.",
            links=more,
        ),
    )
