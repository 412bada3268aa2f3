"""What Airflow is told about traces: one for each DAG run, sent to Jaeger as spans end.

Airflow reads no setting of its own but the switch; all else are the variables of OpenTelemetry's SDK.
"""

from configs.jaeger import OTLP_PORT

SERVICE = "airflow"
"""The service's name in Jaeger, for all of Airflow's processes."""


def environment(*, sample_percent: int, stack: str) -> dict[str, str]:
    """Return the variables that every Airflow container has beside its other ones.

    Args:
        sample_percent: how many of a hundred DAG runs are traced; decided once for a run, when it is made.
        stack: the deployment's name on every span.
    """
    return {
        "AIRFLOW__TRACES__OTEL_ON": "True",
        "OTEL_SERVICE_NAME": SERVICE,
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment={stack}",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": f"{sample_percent / 100:g}",
        # The name "otlp" means gRPC here, whatever the protocol below says.
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://jaeger:{OTLP_PORT}",
        # A task ends only after its spans are sent, or given up: this many seconds without Jaeger.
        "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
        # Milliseconds until a finished span is sent; a task's last ones are sent at its end.
        "OTEL_BSP_SCHEDULE_DELAY": "500",
        # Jaeger takes neither, and libraries of a task's own would send them there.
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
