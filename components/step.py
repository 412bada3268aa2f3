"""One-shot steps that tell a service's HTTP API what it cannot read from a file."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from components.platform import Platform
from components.service import ServiceSpec
from toolchain.paths import REPOSITORY

_USER = "50000:0"
_RUNNER = "/opt/steps/apply.py"
_PLAN = "/opt/steps/plan.json"


def plan_step(
    platform: Platform, plan: Mapping[str, Any], *, memory: int, secrets: Mapping[str, pulumi.Input[str]]
) -> ServiceSpec:
    """A container that applies ``plan`` with the runner of ``configs/steps``; safe to repeat.

    It runs in the set's Airflow image, since that has Python, and needs its standard library only.
    """
    runner = REPOSITORY / "configs" / "steps" / "apply.py"
    return ServiceSpec(
        image=platform.images["airflow"],
        user=_USER,
        memory=memory,
        health=None,
        entrypoint=["python3", _RUNNER, _PLAN],
        files={_RUNNER: runner.read_text(), _PLAN: json.dumps(plan, indent=2, sort_keys=True) + "\n"},
        secrets=secrets,
        pids=32,
    )
