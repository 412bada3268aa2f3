"""What the sections of the model are made of: the base of them all, and the grammars that several use."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

import units
from units import MIB, TIB

DAY = 86400

Enabled = Annotated[bool, BeforeValidator(units.switch())]
Port = Annotated[int, BeforeValidator(units.whole_number(1024, 65535, name="port"))]
Memory = Annotated[int, BeforeValidator(units.size(32 * MIB, TIB))]
AirflowMemory = Annotated[int, BeforeValidator(units.size(256 * MIB, TIB))]
UserName = Annotated[str, BeforeValidator(units.user_name())]
Path = Annotated[str, BeforeValidator(units.path())]
Retention = Annotated[int, BeforeValidator(units.duration(3600, 3650 * DAY))]
Password = Annotated[SecretStr | None, BeforeValidator(units.password())]
WebhookUrl = Annotated[SecretStr | None, BeforeValidator(units.receiver_address())]
ReceiverKey = Annotated[SecretStr | None, BeforeValidator(units.receiver_key())]
EncryptionKey = Annotated[SecretStr | None, BeforeValidator(units.password(32))]


class Section(BaseModel):
    """A group of settings; unknown names and values of another type are refused."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )
