"""Write logs as tasks do, each into a file of its own, and say which and when.

Arguments: folder of a DAG's logs, how many, seconds between them on average, lines in each.
"""

import json
import os
import random
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path


def main(folder: str, count: int, gap: float, lines: int) -> None:
    """Gaps differ, so that no sample falls into step with anything that runs at intervals."""
    # Group 0 reads what it ships; nobody else does.
    os.umask(0o027)
    for _ in range(count):
        run = f"measure{uuid.uuid4().hex}"
        path = Path(folder) / f"run_id={run}" / "task_id=measure" / "attempt=1.log"
        path.parent.mkdir(parents=True)
        line = {"timestamp": datetime.now(UTC).isoformat(), "level": "debug", "event": "measured"}
        path.write_text((json.dumps(line) + "\n") * lines, encoding="utf-8")
        print(run, time.time(), flush=True)
        time.sleep(random.uniform(0.5, 1.5) * gap)


main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
