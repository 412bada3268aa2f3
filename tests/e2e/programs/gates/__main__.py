"""A slow service, one that is waited for, and one whose script the stack's config gives."""

import pulumi
import pulumi_docker as docker

from components.engine import surroundings
from components.platform import Platform, create_network
from components.service import HealthCheck, Service, ServiceSpec, create_gate
from engine import EngineAddress

config = pulumi.Config()
stack = pulumi.get_stack()
engine = EngineAddress.from_config(pulumi.Config("docker"))
image = docker.RemoteImage("image", name=config.require("image"), keep_locally=True)
found = surroundings(engine)
platform = Platform(
    project=pulumi.get_project(),
    stack=stack,
    images={},
    network=create_network(pulumi.get_project(), stack).name,
    bind_address="127.0.0.1",
    protect_data=False,
    engine=engine,
    docker_root=found.data_directory,
    since=found.time,
)


def script(text: str, *, health: HealthCheck | None) -> ServiceSpec:
    """A small container running ``text`` in the configured image's shell."""
    return ServiceSpec(
        image=image.image_id,
        user="999:0",
        memory=64 * 2**20,
        health=health,
        entrypoint=["sh", "-c"],
        command=[text],
        tmpfs={"/tmp": "size=1m"},
        stop_grace=1,
        start_timeout=90,
    )


touched = HealthCheck(command=["test", "-e", "/tmp/ready"], interval=1, timeout=1, retries=3, start_period=1)
patient = HealthCheck(command=["test", "-e", "/tmp/ready"], interval=1, timeout=1, retries=99, start_period=1)

slow_script = f"sleep {config.require_int('slow_seconds')}; touch /tmp/ready; sleep 1000"
slow = Service("slow", script(slow_script, health=patient), platform, awaited=True)
suspect = Service("suspect", script(config.require("suspect"), health=touched), platform)
step = Service("step", script(config.get("step") or "exit 0", health=None), platform)
create_gate("suspect-ready", [suspect], platform)
