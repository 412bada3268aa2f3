"""Alerts about Prometheus: without it, and without the pages that it reads, no other alert can fire."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "prometheus"

# Those that tell that a pipeline failed, that a service is down, or that logs do not arrive, and the one that
# tells people. Other pages say why, or how much.
_VITAL = "airflow-exporter|alertmanager|container-exporter|log-exporter|probe|statsd-exporter"

# While a stack comes up, pages are missing because their services wait for others.
_SETTLED = 'and on () time() - process_start_time_seconds{job="prometheus"} > 300'

_GROUP = '{{ reReplaceAll ".*;" "" $labels.rule_group }}'
# The results of all probes are on the page of one service.
_SERVICE = '{{ if eq $labels.job "probe" }}blackbox-exporter{{ else }}{{ $labels.job }}{{ end }}'
_SERIES_PER_JOB = 20_000

INHIBITIONS = (
    # A page goes with its container, and what is known by the probe need not be said twice.
    Inhibition(
        source="ContainerDown", targets=('alertname=~"TargetDown|MinorTargetDown"',), equal=("service",)
    ),
    Inhibition(source="EndpointDown", targets=('alertname="MinorTargetDown"',), equal=("service",)),
    Inhibition(
        source="ContainerCrashLooping",
        targets=('alertname=~"PrometheusRestarts|AlertmanagerRestarts"',),
        equal=("service",),
    ),
    # Too slow an evaluation is why the next ones are missed.
    Inhibition(
        source="PrometheusEvaluationSlow",
        targets=('alertname="PrometheusEvaluationsMissed"',),
        equal=("rule_group",),
    ),
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about the metrics store, its targets and its way to Alertmanager."""
    more = links.dashboard(uids.WATCHERS) | links.service_logs("prometheus")
    rules = (_watchdog(), *_targets(links), *_judging(more), *_telling(links, more), *_storing(more))
    return (RuleGroup(component=COMPONENT, rules=rules),)


def _watchdog() -> AlertRule:
    return AlertRule(
        name="Watchdog",
        expression="vector(1)",
        severity="none",
        summary="Prometheus judges its rules and reaches Alertmanager",
        description="It always fires. Whoever expects it every minute and misses it knows that nobody would "
        "be told of anything else either.",
    )


def _targets(links: Links) -> tuple[AlertRule, ...]:
    summary = f"The metrics page of {_SERVICE} does not answer"
    service = {"service": _SERVICE}
    more = links.dashboard(uids.WATCHERS) | links.service_logs(_SERVICE)
    return (
        AlertRule(
            name="TargetDown",
            expression=f'count by (job) (up{{job=~"{_VITAL}"}} == 0) {_SETTLED}',
            hold=30,
            severity="critical",
            summary=summary,
            description="Alerts about pipelines, services or logs hang on this page: until it answers, what "
            "they watch may fail without anybody being told.",
            links=more,
            labels=service,
        ),
        AlertRule(
            name="MinorTargetDown",
            expression=f'count by (job) (up{{job!~"{_VITAL}"}} == 0) {_SETTLED}',
            hold=120,
            severity="warning",
            summary=summary,
            description="Its panels are empty and the alerts that need its figures cannot fire. What tells "
            "of failed pipelines does not depend on it.",
            links=more,
            labels=service,
        ),
        AlertRule(
            name="PrometheusNotIngesting",
            # The only question that has an answer when nothing is stored any more.
            expression='absent_over_time(up{job="prometheus"}[1m])',
            hold=30,
            severity="critical",
            summary="Prometheus stores no samples",
            description="It cannot even store what it reads of itself; a full disk is the usual reason. All "
            "other alerts go silent within five minutes, whatever happens.",
            links=links.service_logs("prometheus"),
        ),
        AlertRule(
            name="PrometheusDuplicateSamples",
            expression="rate(prometheus_target_scrapes_sample_duplicate_timestamp_total[5m])"
            " + rate(prometheus_target_scrapes_sample_out_of_order_total[5m]) > 0",
            hold=600,
            severity="warning",
            summary="Prometheus refuses {{ $value | humanize }} samples per second that it has already",
            description="A metrics page shows a series twice, or with time stamps of its own that go back. "
            "The refused values are seen by nobody.",
            links=links.service_logs("prometheus"),
        ),
        AlertRule(
            name="PrometheusTooManySeries",
            expression=f"max by (job) (scrape_samples_post_metric_relabeling) > {_SERIES_PER_JOB}",
            hold=600,
            severity="warning",
            summary="{{ $labels.job }} gives {{ $value | humanize }} series",
            description=f"More than {_SERIES_PER_JOB}: a label with ever new values, such as a run's id, is "
            "the usual reason. Every series costs memory, of Prometheus and of the page's own service.",
            links=more,
        ),
    )


def _judging(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="PrometheusRulesFail",
            expression="increase(prometheus_rule_evaluation_failures_total[2m]) > 0",
            hold=120,
            severity="critical",
            summary=f"Prometheus cannot evaluate rules about {_GROUP}",
            description="Alerts of these rules do not fire, whatever happens.",
            links=more,
        ),
        AlertRule(
            name="PrometheusEvaluationsMissed",
            expression="increase(prometheus_rule_group_iterations_missed_total[5m]) > 0",
            hold=600,
            severity="warning",
            summary=f"Prometheus leaves out evaluations of the rules about {_GROUP}",
            description="{{ $value | humanize }} within five minutes. The machine is too busy, or the rules "
            "take longer than the time between two evaluations: alerts come late.",
            links=more,
        ),
        AlertRule(
            name="PrometheusEvaluationSlow",
            expression="prometheus_rule_group_last_duration_seconds > prometheus_rule_group_interval_seconds",
            hold=300,
            severity="warning",
            summary=f"Prometheus takes {{{{ $value | humanizeDuration }}}} for the rules about {_GROUP}",
            description="Longer than the time between two evaluations: alerts come late.",
            links=more,
        ),
        AlertRule(
            name="PrometheusConfigRefused",
            expression="prometheus_config_last_reload_successful == 0",
            hold=60,
            severity="critical",
            summary="Prometheus has refused its new configuration",
            description="It goes on with the old one until it is restarted, and will not start with the "
            "new one.",
            links=more,
        ),
    )


def _telling(links: Links, more: dict[str, str]) -> tuple[AlertRule, ...]:
    failed = "rate(prometheus_notifications_errors_total[5m])"
    return (
        AlertRule(
            name="PrometheusCannotReachAlertmanager",
            expression=f"{failed} / ({failed} + rate(prometheus_notifications_sent_total[5m])) > 0.03",
            hold=300,
            severity="critical",
            summary="Prometheus cannot hand {{ $value | humanizePercentage }} of the alerts to Alertmanager",
            description="While none gets through, this alert is seen in Prometheus only, and the dead man's "
            "switch is the one thing that tells. Alerts that still fire are sent again every minute.",
            links=more | links.service_logs("alertmanager", name="service_logs"),
        ),
    )


def _storing(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="PrometheusDataCorrupt",
            # Found while the server starts, before anybody reads the counter: it has no growth to be seen.
            expression="prometheus_tsdb_wal_corruptions_total"
            " + prometheus_tsdb_mmap_chunk_corruptions_total > 0",
            severity="warning",
            summary="Prometheus found damaged data when it started",
            description="Samples of the last hours are lost from the damaged place on; what is stored since "
            "is sound. It fires until the next start.",
            links=more,
        ),
        AlertRule(
            name="PrometheusCompactionsFail",
            expression="increase(prometheus_tsdb_compactions_failed_total[1h])"
            " + increase(prometheus_tsdb_head_truncations_failed_total[1h])"
            " + increase(prometheus_tsdb_checkpoint_creations_failed_total[1h]) > 0",
            hold=600,
            severity="warning",
            summary="Prometheus cannot compact its data",
            description="Memory and disk grow until one of them is used up; a disk that is nearly full is "
            "the usual reason.",
            links=more,
        ),
        AlertRule(
            name="PrometheusHistoryCut",
            expression="increase(prometheus_tsdb_size_retentions_total[1d]) > 0",
            severity="info",
            summary="Prometheus deletes samples before their age, for want of space",
            description="prometheus.retention_size is reached before prometheus.retention_time: the history "
            "is shorter than the settings promise.",
            links=more,
        ),
        AlertRule(
            name="PrometheusRestarts",
            expression='changes(process_start_time_seconds{job="prometheus"}[15m]) > 2',
            severity="warning",
            summary="Prometheus has started {{ $value | humanize }} times within 15 minutes",
            description="Alerts are late or missing while it starts. Too little memory is the usual reason.",
            links=more,
            labels={"service": COMPONENT},
        ),
    )
