"""Plans applied the way the platform applies them: by the runner, in the Airflow image, as Airflow's user."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from containers import Network, run_to_end

_RUNNER = Path(__file__).resolve().parents[3] / "configs" / "steps" / "apply.py"


def apply_plan(network: Network, plan: Mapping[str, Any], secrets: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and log of a step that applies ``plan``."""
    step = network.start(
        "airflow",
        alias="step",
        user="50000:0",
        memory=128 * 2**20,
        entrypoint=["python3", "/opt/steps/apply.py", "/opt/steps/plan.json"],
        files={"/opt/steps/apply.py": _RUNNER.read_text(), "/opt/steps/plan.json": json.dumps(plan)},
        secrets=secrets,
    )
    return run_to_end(step)
