"""The images of a stack: pulled or found on the engine, and Airflow's extended by the team's requirements."""

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from components.naming import TOKEN
from configs.versions import image_for, lacks, release, row_of
from images.builder import inputs_of
from settings import Settings, services_of
from toolchain.artifact import digest
from toolchain.paths import REPOSITORY

PIPELINES = "airflow-pipelines"

_PIPELINES_CONTEXT = REPOSITORY / "pipelines"
_BUILD_INPUTS = ("Dockerfile", "requirements.txt")


class Images(pulumi.ComponentResource):
    """Every image that the stack's containers run.

    The network waits for all of them, and so does every container: while an image is still pulled or built,
    nothing that could fail is running, and no half of a stack waits for the other's image.

    Creates: a ``docker.RemoteImage`` for each image that is run, and one built from ``pipelines/``.

    Attributes:
        ids: service, or :data:`PIPELINES`, -> local image id.
    """

    ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, settings: Settings) -> None:
        super().__init__(f"{TOKEN}Images", "images")
        self._settings = settings
        services = sorted({row_of(section) for section in services_of(settings)})
        self.resources = {service: self._existing(service) for service in services}
        self.resources[PIPELINES] = self._build_pipelines(self.resources["airflow"])
        self.ids = {name: image.image_id for name, image in self.resources.items()}
        self.register_outputs({})

    def _existing(self, service: str) -> docker.RemoteImage:
        settings = self._settings
        found = release(service, settings.image_set)
        name = settings.kibana.image if service == "kibana" else ""
        return docker.RemoteImage(
            f"image-{service}",
            name=name or image_for(service, settings.image_set, settings.image_registry),
            keep_locally=True,
            triggers={"inputs": inputs_of(service)} if found and found.built_here else None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _build_pipelines(self, base: docker.RemoteImage) -> docker.RemoteImage:
        settings = self._settings
        version = release("airflow", settings.image_set).version
        inputs = digest([_PIPELINES_CONTEXT / name for name in _BUILD_INPUTS])
        return docker.RemoteImage(
            f"image-{PIPELINES}",
            name=f"{settings.project}/{PIPELINES}:{settings.stack}-{inputs}",
            keep_locally=True,
            build=docker.RemoteImageBuildArgs(
                context=str(_PIPELINES_CONTEXT),
                build_args={"BASE": base.name, "AIRFLOW_VERSION": version},
                network_mode="host" if lacks("airflow", settings.image_set, "bridge_build") else None,
            ),
            triggers={"inputs": inputs, "base": base.image_id},
            opts=pulumi.ResourceOptions(parent=self),
        )
