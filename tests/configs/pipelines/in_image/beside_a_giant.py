"""Runs the task that exhausts memory beside a process that is larger than it will ever be.

Prints ``RESULT {...}``: the task's exit code, and the other's, which is null while that runs.
"""

import json
import subprocess
import sys

from supervised import run

_MEBIBYTES = 350
_GIANT = "import sys; kept = b'x' * (int(sys.argv[1]) << 20); print(len(kept), flush=True); sys.stdin.read()"


def main():
    """Run both and print."""
    command = [sys.executable, "-c", _GIANT, str(_MEBIBYTES)]
    giant = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    giant.stdout.readline()
    tasks = ["prepare", "divide"]
    plan = {"dag_id": "fails_on_purpose", "run_id": "test", "file": "fails_on_purpose.py", "tasks": tasks}
    found = run(plan | {"conf": {"way": "out_of_memory"}})
    print("RESULT " + json.dumps({"task": found["divide"]["code"], "giant": giant.poll()}))
    giant.kill()
    giant.wait()


if __name__ == "__main__":
    main()
