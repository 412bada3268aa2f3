"""A metrics page on which one task after the other fails, each of another DAG, and say which and when.

Arguments: port, name of the metric, how many, seconds between them on average.
"""

import random
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

failed: list[tuple[str, str]] = []
metric = sys.argv[2]


class Page(BaseHTTPRequestHandler):
    """Shows what has failed so far."""

    # The name is http.server's.
    def do_GET(self) -> None:
        """The page."""
        same = 'task_id="measure",map_index="-1",try_number="1",trace_id=""'
        rows = [f'{metric}{{dag_id="{dag}",run_id="{run}",{same}}} 1\n' for dag, run in list(failed)]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write("".join(rows).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing else, since each line is a result."""


def fail(count: int, gap: float) -> None:
    """Gaps differ, so that no sample falls into step with anything that runs at intervals."""
    for number in range(count):
        run = f"measure{uuid.uuid4().hex}"
        failed.append((f"measure_{number}", run))
        print(run, time.time(), flush=True)
        time.sleep(random.uniform(0.5, 1.5) * gap)
    print("end", flush=True)


threading.Thread(target=fail, args=(int(sys.argv[3]), float(sys.argv[4])), daemon=True).start()
ThreadingHTTPServer(("", int(sys.argv[1])), Page).serve_forever()
