"""End spans, one trace each, with the tracer that this container's environment describes; say which and when.

Arguments: how many, seconds between them on average.
"""

import random
import sys
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON


def main(count: int, gap: float) -> None:
    """Gaps differ, so that no sample falls into step with anything that runs at intervals."""
    provider = TracerProvider(sampler=ALWAYS_ON)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("measure")
    for _ in range(count):
        span = tracer.start_span("measure")
        span.end()
        print(f"{span.get_span_context().trace_id:032x}", time.time(), flush=True)
        time.sleep(random.uniform(0.5, 1.5) * gap)
    provider.shutdown()


main(int(sys.argv[1]), float(sys.argv[2]))
