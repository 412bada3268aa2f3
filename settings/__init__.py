"""A stack's settings: the model, the reader of its configuration, and the report of what is wrong with it."""

from settings.loader import from_pulumi, load, optional_services, read, services_of
from settings.model import Settings
from settings.report import SettingsError

__all__ = ["Settings", "SettingsError", "from_pulumi", "load", "optional_services", "read", "services_of"]
