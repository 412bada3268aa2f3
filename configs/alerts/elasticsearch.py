"""Alerts about the log store: whether it answers, stores what it is sent, and has room for more."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "elasticsearch"

INHIBITIONS = (
    # Its clients, which can do nothing without it.
    Inhibition(source="ElasticsearchDown", targets=('component=~"filebeat|jaeger|kibana|log-exporter"',)),
    Inhibition(source="ElasticsearchDown", targets=('component="probes"', 'service=~"jaeger|kibana"')),
    Inhibition(source="ContainerDown", targets=('alertname="ElasticsearchDown"',), equal=("service",)),
    Inhibition(source="ElasticsearchRed", targets=('alertname="ElasticsearchYellow"',)),
    Inhibition(source="ElasticsearchHeapFull", targets=('alertname="ElasticsearchHeapHigh"',)),
    Inhibition(
        source="ElasticsearchDiskFlooded",
        targets=('alertname=~"ElasticsearchDiskLow|ElasticsearchDiskFilling"',),
    ),
)

_LEFT = "{{ $value | humanize1024 }}B are free. "
_READ_ONLY = "Below the last watermark the server makes indices read-only: no log line is stored any more."


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about the server; that its exporter is down is told by ``MinorTargetDown``."""
    more = links.dashboard(uids.INFRASTRUCTURE) | links.service_logs("elasticsearch")
    rules = (*_health(more), *_disk(more), *_memory(more), *_work(more))
    return (RuleGroup(component=COMPONENT, rules=rules),)


def _health(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="ElasticsearchDown",
            # Its exporter answers, and was not told anything by it.
            expression='up{job="elasticsearch-exporter"} == 1'
            " unless on () elasticsearch_cluster_health_number_of_nodes",
            hold=30,
            severity="critical",
            summary="Elasticsearch does not answer",
            description="No log line is stored or found. Filebeat keeps what it could not deliver and sends "
            "it later; alerts about those who need Elasticsearch are held back meanwhile.",
            links=more,
            labels={"service": "elasticsearch"},
        ),
        AlertRule(
            name="ElasticsearchRed",
            expression='elasticsearch_cluster_health_status{color="red"} == 1',
            hold=60,
            severity="critical",
            summary="Elasticsearch is red: some index cannot be read or written",
            description="At least one index has no copy of some of its data.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchYellow",
            expression='elasticsearch_cluster_health_status{color="yellow"} == 1',
            hold=600,
            severity="warning",
            summary="Elasticsearch is yellow: some index wants a copy that has no place",
            description="The indices of this platform want none. Somebody has made one with the usual "
            "replica, which a server that is alone cannot place.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchReadOnly",
            expression="elasticsearch_indices_settings_stats_read_only_indices > 0",
            severity="critical",
            summary="Elasticsearch has {{ $value | humanize }} read-only indices",
            description="It makes them so when its disk is full. Log lines for them are refused.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchShardsHigh",
            expression="elasticsearch_cluster_health_active_shards / on () group_left ()"
            " elasticsearch_clustersettings_stats_max_shards_per_node > 0.8",
            hold=600,
            severity="warning",
            summary="Elasticsearch has {{ $value | humanizePercentage }} of the shards that it may have",
            description="When it has all of them it makes no further index: new logs have no place.",
            links=more,
        ),
    )


def _watermark(name: str) -> str:
    """As the server itself says, which may have been told another one since."""
    return f"max (elasticsearch_clustersettings_allocation_watermark_{name}_bytes)"


def _below(watermark: str) -> str:
    free = "min by (name) (elasticsearch_filesystem_data_available_bytes)"
    return f"{free} < on () group_left () {_watermark(watermark)}"


def _filling(span: str) -> str:
    """Less than the last watermark will be free in six hours, at the rate of the last ``span``."""
    free = f"predict_linear(elasticsearch_filesystem_data_available_bytes[{span}], 21600)"
    return f"min by (name) ({free}) < on () group_left () {_watermark('flood_stage')}"


def _disk(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="ElasticsearchDiskLow",
            expression=_below("low"),
            hold=300,
            severity="warning",
            summary="Elasticsearch has little disk space left",
            description=_LEFT + "Below this watermark it places no new shards. " + _READ_ONLY,
            links=more,
        ),
        AlertRule(
            name="ElasticsearchDiskFlooded",
            expression=_below("high"),
            hold=60,
            severity="critical",
            summary="Elasticsearch is about to stop storing logs for want of disk space",
            description=_LEFT + _READ_ONLY,
            links=more,
        ),
        AlertRule(
            name="ElasticsearchDiskFilling",
            # Both spans, so that a burst that is over is no trend.
            expression=f"{_filling('3h')} and {_filling('30m')}",
            hold=1800,
            severity="warning",
            summary="Elasticsearch will have no disk space left within six hours",
            description="At the rate of the last hours. " + _READ_ONLY,
            links=more,
        ),
    )


def _heap(span: str) -> str:
    """What collections leave in the heap; in between, a healthy one fills up to three quarters and more."""
    used = f'min_over_time(elasticsearch_jvm_memory_used_bytes{{area="heap"}}[{span}])'
    return f'{used} / elasticsearch_jvm_memory_max_bytes{{area="heap"}}'


def _memory(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="ElasticsearchHeapHigh",
            expression=f"{_heap('15m')} > 0.8",
            hold=300,
            severity="warning",
            summary="Elasticsearch's heap is never less than {{ $value | humanizePercentage }} full",
            description="Not even after its collections. It spends more and more time on making room, and "
            "then refuses requests.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchHeapFull",
            expression=f"{_heap('5m')} > 0.9",
            hold=60,
            severity="critical",
            summary="Elasticsearch's heap is never less than {{ $value | humanizePercentage }} full",
            description="Not even after its collections. It refuses requests, or ends.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchCollectsGarbage",
            expression="sum by (name) (rate("
            'elasticsearch_jvm_gc_collection_seconds_sum{gc=~"young|old"}[5m])) > 0.1',
            hold=600,
            severity="warning",
            summary="Elasticsearch spends {{ $value | humanizePercentage }} of its time collecting garbage",
            description="For ten minutes. It answers nobody during that time: logs come late.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchBreakerTripped",
            expression="sum by (name, breaker) (increase(elasticsearch_breakers_tripped[10m])) > 0",
            severity="warning",
            summary="Elasticsearch has refused requests to save its heap",
            description="Its breaker {{ $labels.breaker }} did, within ten minutes. Filebeat sends again "
            "what was refused; a search fails for whoever asked.",
            links=more,
        ),
    )


def _writes(what: str) -> str:
    return f'sum by (name) (rate(elasticsearch_thread_pool_{what}_count{{type="write"}}[5m]))'


def _work(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="ElasticsearchRejectsWrites",
            expression=f"{_writes('rejected')} / ({_writes('rejected')} + {_writes('completed')}) > 0.05",
            hold=600,
            severity="warning",
            summary="Elasticsearch turns away {{ $value | humanizePercentage }} of what it is to store",
            description="It is sent more than it can store. Filebeat waits and sends it again: logs come "
            "late.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchTasksPending",
            expression="elasticsearch_cluster_health_number_of_pending_tasks > 0",
            hold=900,
            severity="warning",
            summary="Elasticsearch has {{ $value | humanize }} changes of its state waiting",
            description="For a quarter of an hour there have been some: new indices, fields or settings do "
            "not take effect.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchFileDescriptorsLow",
            expression="elasticsearch_process_open_files_count"
            " / elasticsearch_process_max_files_descriptors > 0.8",
            hold=600,
            severity="warning",
            summary="Elasticsearch has used {{ $value | humanizePercentage }} of its file descriptors",
            description="When none is left it cannot open its own files, and indices fail.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchIndexingSlow",
            expression="rate(elasticsearch_indices_indexing_index_time_seconds_total[10m])"
            " / (rate(elasticsearch_indices_indexing_index_total[10m]) > 1) > 0.05",
            hold=900,
            severity="warning",
            summary="Elasticsearch takes {{ $value | humanizeDuration }} to store one document",
            description="For a quarter of an hour. Disk or processors cannot keep up: logs come late.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchSearchSlow",
            expression="rate(elasticsearch_indices_search_query_time_seconds[10m])"
            " / (rate(elasticsearch_indices_search_query_total[10m]) > 0) > 1",
            hold=600,
            severity="warning",
            summary="Elasticsearch takes {{ $value | humanizeDuration }} for one search",
            description="On average, for ten minutes: Kibana and panels of logs are slow or fail.",
            links=more,
        ),
    )
