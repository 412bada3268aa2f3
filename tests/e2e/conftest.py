"""Fixtures of the end-to-end tests: the one deployed platform that they share."""

import subprocess
from collections.abc import Iterator

import pytest
from deployment import Deployment, copy_program, deployment, free_port_base
from platform_client import Platform
from stack_files import PROJECT, REPOSITORY, committed_config

from configs.versions import ImageSet, image_for, lacks
from measure.receiver import URL as RECEIVER_URL
from measure.receiver import Receiver, receiving
from measure.stack import Stack

_KIBANA_DOUBLE = "mlops-test/kibana-double:1"


@pytest.fixture(scope="session")
def kibana_image(image_set: ImageSet) -> str:
    """Empty for the set's own Kibana; where the set lacks it, the double of ``tests/doubles/kibana``."""
    if not lacks("kibana", image_set):
        return ""
    base = image_for("airflow", image_set)
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", _KIBANA_DOUBLE, "--build-arg", f"BASE={base}", "."],
        cwd=REPOSITORY / "tests" / "doubles" / "kibana",
        check=True,
        capture_output=True,
        timeout=300,
    )
    return _KIBANA_DOUBLE


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, image_set: ImageSet, kibana_image: str
) -> Iterator[Deployment]:
    """The program with dev's settings, copied, up from nothing under a stack, ports and state of its own."""
    home = tmp_path_factory.mktemp("platform")
    program = copy_program(home / "program")
    texts = {key.removeprefix(f"{PROJECT}:"): text for key, text in committed_config("dev").items()}
    texts |= {"image_set": image_set, "port_base": str(free_port_base()), "kibana.enabled": "true"}
    if kibana_image:
        texts |= {"kibana.image": kibana_image}
    with deployment(program, "e2e", home) as made:
        made.init(texts)
        made.set_secret("secrets.alert_webhook_url", RECEIVER_URL)
        made.first_up = made.up()
        yield made


@pytest.fixture(scope="session")
def platform(stack: Deployment) -> Platform:
    """The deployed platform as its users see it: its outputs and the services behind them."""
    assert stack.first_up is not None
    assert stack.first_up.code == 0, stack.first_up.text
    return Platform(stack)


@pytest.fixture(scope="module")
def told(stack: Deployment, platform: Platform) -> Iterator[Receiver]:
    """Who is told of alerts: the webhook that the stack's secret names."""
    seen = Stack(
        name=stack.stack,
        engine=stack.engine,
        endpoints=platform.endpoints,
        credentials=platform.credentials,
        environment=stack.environment,
    )
    with receiving(seen) as made:
        yield made
