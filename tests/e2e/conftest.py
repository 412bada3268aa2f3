"""Fixtures of the end-to-end tests: the image set in use and the one deployed platform that they share."""

import os
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from deployment import REPOSITORY, Deployment, copy_program, deployment, free_port_base
from platform_client import Platform

from configs.versions import image_for, lacks

_KIBANA_DOUBLE = "mlops-test/kibana-double:1"


@pytest.fixture(scope="session")
def image_set() -> str:
    """The set whose images this machine holds, ``official`` first; the bootstrap has fetched or built one."""
    named = os.environ.get("MLOPS_IMAGE_SET")
    for candidate in [named] if named else ["official", "packages"]:
        image = image_for("statsd-exporter", candidate)
        found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
        if found.returncode == 0:
            return candidate
    raise AssertionError("no image set is on this machine; run `make images` first")


@pytest.fixture(scope="session")
def kibana_image(image_set: str) -> str:
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
    tmp_path_factory: pytest.TempPathFactory, image_set: str, kibana_image: str
) -> Iterator[Deployment]:
    """The program with dev's settings, copied, up from nothing under a stack, ports and state of its own."""
    home = tmp_path_factory.mktemp("platform")
    program = copy_program(home / "program")
    settings = yaml.safe_load((program / "Pulumi.dev.yaml").read_text())["config"] or {}
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in settings.items()
    }
    texts |= {"image_set": image_set, "port_base": str(free_port_base())}
    if kibana_image:
        texts |= {"kibana.image": kibana_image}
    with deployment(program, "e2e", home) as made:
        made.init(texts)
        made.first_up = made.up()
        yield made


@pytest.fixture(scope="session")
def platform(stack: Deployment) -> Platform:
    """The deployed platform as its users see it: its outputs and the services behind them."""
    assert stack.first_up is not None
    assert stack.first_up.code == 0, stack.first_up.text
    return Platform(stack)
