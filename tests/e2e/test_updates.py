"""Updates of the deployed platform, what it shows of its secrets, and its end.

Decides: that an update touches what it must and nothing else, that removed containers come back without a
loss, that no secret is to be seen, and that `destroy` leaves nothing. Cannot decide: what other settings do.
The tests use the stack of the files before them and end it, in the order of this file.
"""

import json
from pathlib import Path

from deployment import Deployment, wait_for
from docker.models.containers import Container
from platform_client import Platform, of_run
from stack_files import REPOSITORY
from test_platform import PUT_THERE

from measure.receiver import URL as RECEIVER_URL

_PIPELINE = "breast_cancer"
_FAILING = "fails_on_purpose"
_RANDOM = {
    "random:index/randomPassword:RandomPassword": "result",
    "random:index/randomBytes:RandomBytes": "base64",
}


def test_one_setting_replaces_its_containers_only(stack: Deployment, platform: Platform) -> None:
    """A changed setting of Prometheus replaces Prometheus, which keeps its data, and nothing else."""
    before = stack.container_ids()
    stack.set("prometheus.retention_time", "10d")
    outcome = stack.up()
    assert outcome.code == 0, outcome.text
    after = stack.container_ids()
    assert {service for service in before if before[service] != after.get(service)} == {"prometheus"}
    kept = platform.prometheus(f'airflow_ti_finish{{dag_id="{_PIPELINE}"}}')
    assert kept, "data must outlive the container"


def test_removed_containers_come_back_and_lose_nothing(stack: Deployment, platform: Platform) -> None:
    """`up --refresh` makes removed containers anew: no log line twice, and metrics find the new address.

    A stand-in takes the exporter's old address first, so that Airflow's long-running processes must follow.
    """
    shipped = len(platform.logs({"match_all": {}}))
    old = stack.containers()
    for service in ("filebeat", "statsd-exporter"):
        old[service].remove(force=True, v=True)
    with stack.stand_in(image=old["postgres"].image.id):
        outcome = stack.pulumi("up", "--yes", "--skip-preview", "--refresh")
        assert outcome.code == 0, outcome.text
        assert _address(stack, "statsd-exporter") != _first_address(old["statsd-exporter"])
        heartbeat = "airflow_scheduler_heartbeat"
        wait_for(heartbeat, lambda: platform.prometheus(f"increase({heartbeat}[15s]) > 0"))

    run, _ = platform.run_dag(_FAILING)
    written = len(platform.written_lines(_FAILING, run))
    wait_for("lines of the new run", lambda: len(platform.logs(of_run(run))) >= written)
    assert len(platform.logs({"match_all": {}})) == shipped + written


def _address(stack: Deployment, service: str) -> str:
    return _first_address(stack.containers()[service])


def _first_address(container: Container) -> str:
    (endpoint,) = (
        each for each in container.attrs["NetworkSettings"]["Networks"].values() if each["IPAddress"]
    )
    return endpoint["IPAddress"]


def test_no_secret_is_to_be_seen(stack: Deployment, platform: Platform, tmp_path: Path) -> None:
    """No generated secret stands in what inspect, the logs or the state show in plain text."""
    secrets = _generated_secrets(stack, tmp_path / "shown.json") | {RECEIVER_URL}
    assert secrets >= {login["password"] for login in platform.credentials.values()}
    assert all(len(secret) >= 16 for secret in secrets)
    state = stack.home / "state"
    texts = {
        str(path.relative_to(state)): path.read_text(errors="replace")
        for path in state.rglob("*")
        if path.is_file()
    }
    assert any(name.endswith(".bak") for name in texts), texts.keys()
    assert any("/history/" in name for name in texts), texts.keys()
    texts["stack export"] = stack.pulumi("stack", "export").text
    for service, container in stack.containers().items():
        texts[f"inspect of {service}"] = json.dumps(container.attrs)
        texts[f"log of {service}"] = container.logs().decode(errors="replace")
    assert [name for name, text in texts.items() if any(secret in text for secret in secrets)] == []


def _generated_secrets(stack: Deployment, shown: Path) -> set[str]:
    """Every secret that the stack has made, random bytes in both alphabets and without padding."""
    outcome = stack.pulumi("stack", "export", "--show-secrets", "--file", str(shown))
    assert outcome.code == 0, outcome.text
    resources = json.loads(shown.read_text())["deployment"]["resources"]
    outputs = {kind: [each["outputs"] for each in resources if each["type"] == kind] for kind in _RANDOM}
    passwords, keys = ([_revealed(each[_RANDOM[kind]]) for each in outputs[kind]] for kind in _RANDOM)
    assert passwords
    assert keys
    bare = {key.rstrip("=") for key in keys}
    return {*passwords, *bare, *(key.replace("+", "-").replace("/", "_") for key in bare)}


def _revealed(output: str | dict[str, str]) -> str:
    return json.loads(output["plaintext"]) if isinstance(output, dict) else output


def test_destroy_leaves_nothing(stack: Deployment, platform: Platform) -> None:
    """No container, network or volume of the stack is left, and no file in the folders that were mounted."""
    assert platform.endpoints
    outcome = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert outcome.code == 0, outcome.text
    assert stack.leftovers() == []
    pipelines = Path(stack.program) / "pipelines"
    made = {path.name for path in pipelines.rglob("*")} - {
        path.name for path in (REPOSITORY / "pipelines").rglob("*")
    }
    assert made == {f"{PUT_THERE}.py"}
