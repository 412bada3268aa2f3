"""What Pulumi's mocks saw of a program: every resource that it registered, with its inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc

SECRET_MARK = "generated-secret"


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it, secrets unwrapped."""

    type: str
    name: str
    inputs: Mapping[str, Any]


class Recorder(pulumi_mocks.Mocks):
    """Answers every registration with plausible outputs and keeps the inputs."""

    def __init__(self) -> None:
        self.resources: list[Registered] = []

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Record the resource; computed outputs that others read are made up from its name."""
        self.resources.append(Registered(args.typ, args.name, _unwrapped(args.inputs)))
        computed = {
            "docker:index/remoteImage:RemoteImage": {"imageId": f"sha256:{args.name}"},
            "random:index/randomPassword:RandomPassword": {"result": f"{SECRET_MARK}-{args.name}"},
            "random:index/randomBytes:RandomBytes": {"base64": f"{SECRET_MARK}-{args.name}+/="},
        }
        return f"{args.name}-id", {**args.inputs, **computed.get(args.typ, {})}

    def call(self, args: pulumi_mocks.MockCallArgs) -> dict[str, Any]:
        """No data source is used by the program."""
        raise AssertionError(f"the program called {args.token}")

    def of(self, kind: str) -> dict[str, Registered]:
        """The registered resources of one type (the last part of its token), by name."""
        return {each.name: each for each in self.resources if each.type.rsplit(":", 1)[-1] == kind}


def _unwrapped(value: Any) -> Any:
    """The value with every secret in it as plain text."""
    if rpc.is_rpc_secret(value):
        return _unwrapped(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: _unwrapped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_unwrapped(member) for member in value]
    return value
