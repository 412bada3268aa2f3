"""Remove the logs that were written to be measured. Argument: folder of a DAG's logs."""

import shutil
import sys
from pathlib import Path

for run in Path(sys.argv[1]).glob("run_id=measure*"):
    shutil.rmtree(run)
