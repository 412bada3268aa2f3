"""What a setting may say: sizes, durations, ports, names and paths, each with its grammar in words.

A ``Kind`` turns the text of a setting into a plain value and back, and says in words what it accepts, so that
the model, the error report and the generated reference all speak from the same definition. Sizes become
bytes, durations become seconds, both as plain ``int``: they go into YAML, JSON and Docker inputs as they are.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB

_SIZE_UNITS = {"TiB": TIB, "GiB": GIB, "MiB": MIB, "KiB": KIB}
_DURATION_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SIZE = re.compile(r"(\d{1,12})(t|g|m|k)(?:ib)?", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?\d{1,12}", re.ASCII)
_REPOSITORY = r"[a-z0-9]{1,128}(?:[._-]{1,2}[a-z0-9]{1,128}){0,16}"
_HOST = r"[A-Za-z0-9]{1,63}(?:[.-]{1,2}[A-Za-z0-9]{1,63}){0,16}(?::\d{1,5})?"
_TAG = r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_MINIMUM_PASSWORD = 12
_MINIMUM_DISTINCT = 5


@dataclass(frozen=True)
class Kind:
    """One sort of value: ``accepts`` in words, ``parse`` from text, ``text`` back to the canonical text.

    ``parse`` raises ValueError for whatever is not accepted; its message is ``accepts`` or narrower.
    """

    name: str
    accepts: str
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str

    def __call__(self, value: object) -> object:
        """Parse text; leave a value that is typed already (a default, a test's) to the model."""
        return self.parse(value) if isinstance(value, str) else value


def size_text(size: int) -> str:
    """Bytes as the largest whole binary unit: 1610612736 is ``1536MiB``."""
    unit = next((name for name, factor in _SIZE_UNITS.items() if size and size % factor == 0), None)
    return f"{size // _SIZE_UNITS[unit]}{unit}" if unit else f"{size}B"


def duration_text(seconds: int) -> str:
    """Seconds as the largest whole unit: 1296000 is ``15d``, 90 is ``90s``.

    The form suits Prometheus and Elasticsearch.
    """
    unit = next((name for name, factor in _DURATION_UNITS.items() if seconds and seconds % factor == 0), "s")
    return f"{seconds // _DURATION_UNITS[unit]}{unit}"


def mebibytes(size: int) -> int:
    """Bytes as whole MiB, the unit of the Docker provider's memory fields and of a JVM's ``-Xmx…m``."""
    return size // MIB


def size(low: int, high: int) -> Kind:
    """A size from ``low`` to ``high`` bytes, in whole MiB."""
    accepts = f"a whole number of MiB or GiB (512MiB, 1GiB) from {size_text(low)} to {size_text(high)}"

    def parse(text: str) -> int:
        match = _SIZE.fullmatch(text)
        if not match:
            raise ValueError(accepts)
        factor = next(f for name, f in _SIZE_UNITS.items() if name[0] == match[2].upper())
        value = int(match[1]) * factor
        if value % MIB or not low <= value <= high:
            raise ValueError(accepts)
        return value

    return Kind("size", accepts, parse, size_text)


def duration(low: int, high: int) -> Kind:
    """A duration from ``low`` to ``high`` seconds."""
    accepts = f"a whole number of s, m, h or d (5s, 15d) from {duration_text(low)} to {duration_text(high)}"

    def parse(text: str) -> int:
        match = _DURATION.fullmatch(text)
        value = int(match[1]) * _DURATION_UNITS[match[2]] if match else -1
        if not low <= value <= high:
            raise ValueError(accepts)
        return value

    return Kind("duration", accepts, parse, duration_text)


def whole_number(low: int, high: int, *, name: str = "whole number", also: tuple[int, ...] = ()) -> Kind:
    """A number in decimal digits from ``low`` to ``high``, or one of ``also``."""
    accepts = " or ".join([*map(str, also), f"a whole number from {low} to {high}"])

    def parse(text: str) -> int:
        value = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
        if value is None or not (low <= value <= high or value in also):
            raise ValueError(accepts)
        return value

    return Kind(name, accepts, parse)


def switch() -> Kind:
    """True or false, in these words only: YAML's ``yes`` and ``on`` would reach the program as text."""
    accepts = "true or false"

    def parse(text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError(accepts)
        return text == "true"

    return Kind("boolean", accepts, parse, lambda value: str(value).lower())


def choice(*words: str) -> Kind:
    """One of a few words."""
    accepts = "one of " + ", ".join(words)

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(accepts)
        return text

    return Kind("choice", accepts, parse)


def pattern(name: str, expression: str, accepts: str, *, refuse: str | None = None) -> Kind:
    """Text that matches ``expression`` as a whole and contains no match of ``refuse``."""
    accepted = re.compile(expression, re.ASCII)
    refused = re.compile(refuse, re.ASCII) if refuse else None

    def parse(text: str) -> str:
        if not accepted.fullmatch(text) or (refused and refused.search(text)):
            raise ValueError(accepts)
        return text

    return Kind(name, accepts, parse)


def ip_address() -> Kind:
    """An IPv4 or IPv6 address without zone."""
    accepts = "an IP address of the Docker host, such as 127.0.0.1 or 0.0.0.0"

    def parse(text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise ValueError(accepts) from None
        if "%" in text:
            raise ValueError(accepts)
        return str(address)

    return Kind("IP address", accepts, parse)


def path() -> Kind:
    """A path of the Docker host, absolute or relative to the project, that never climbs up."""
    return pattern(
        "path",
        r"[A-Za-z0-9._/-]{1,255}",
        "a path of letters, digits, '.', '_', '-' and '/', without '..'",
        refuse=r"(^|/)\.\.(/|$)|//|^-",
    )


def user_name() -> Kind:
    """A login name that every service accepts."""
    return pattern(
        "user name",
        r"[A-Za-z][A-Za-z0-9_.-]{1,62}",
        "2 to 63 letters, digits, '_', '-' and '.', beginning with a letter",
    )


def host_name() -> Kind:
    """What a browser puts before the port, or nothing."""
    return pattern(
        "host",
        r"|[A-Za-z0-9]{1,63}([.-]{1,2}[A-Za-z0-9]{1,63}){0,16}",
        "empty, or a host name or IPv4 address",
    )


_WEB_ADDRESS = r"https?://[!#-&(-;=?-~]{1,2000}"
_MAIL_ADDRESS = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,8}"
_PRINTABLE = r"[!-~]{1,256}"


def web_address() -> Kind:
    """An http or https address without spaces or quotes, or nothing."""
    accepts = "empty, or an address that begins with http:// or https://"
    return pattern("web address", rf"|{_WEB_ADDRESS}", accepts)


def receiver_address() -> Kind:
    """An http or https address to post to."""
    return pattern("receiver", _WEB_ADDRESS, "an address that begins with http:// or https://")


def receiver_key() -> Kind:
    """What somebody else has given out: any printable ASCII without spaces."""
    return pattern("key", _PRINTABLE, "up to 256 printable characters without spaces")


def host_and_port() -> Kind:
    """A server and its port, or nothing."""
    accepts = "empty, or a host name or IPv4 address with a port, such as mail.example.org:587"
    form = re.compile(r"[A-Za-z0-9]{1,63}([.-]{1,2}[A-Za-z0-9]{1,63}){0,16}:(\d{1,5})", re.ASCII)

    def parse(text: str) -> str:
        match = form.fullmatch(text)
        if text and not (match and 1 <= int(match[2]) <= 65535):
            raise ValueError(accepts)
        return text

    return Kind("host and port", accepts, parse)


def email_addresses() -> Kind:
    """Mail addresses separated by commas, or nothing."""
    accepts = "empty, or mail addresses separated by commas"
    return pattern("mail addresses", rf"|{_MAIL_ADDRESS}(, ?{_MAIL_ADDRESS}){{0,31}}", accepts)


def email_address() -> Kind:
    """One mail address, or nothing."""
    return pattern("mail address", rf"|{_MAIL_ADDRESS}", "empty, or one mail address")


def optional_text() -> Kind:
    """Printable ASCII without spaces, or nothing."""
    return pattern("text", rf"|{_PRINTABLE}", "empty, or up to 256 printable characters without spaces")


def registry() -> Kind:
    """Where images are pulled from: a host with optional port and path, or nothing."""
    accepts = "empty, or a registry's host name with optional port and path"
    return pattern("registry", rf"|{_HOST}(/{_REPOSITORY})*", accepts)


def image_name() -> Kind:
    """A complete image name that always means the same image, or nothing."""
    return pattern(
        "image",
        rf"|({_HOST}/)?{_REPOSITORY}(/{_REPOSITORY})*({_TAG}|@sha256:[0-9a-f]{{64}})",
        "empty, or an image name with a fixed tag (not latest) or digest",
        refuse=r":latest$",
    )


def password(minimum: int = _MINIMUM_PASSWORD) -> Kind:
    """Text that needs no quoting in a URL, a shell or a configuration file, and is not trivially weak."""
    accepts = (
        f"{minimum} to 128 characters, only letters, digits, '-' and '_', "
        f"at least {_MINIMUM_DISTINCT} of them different"
    )

    def parse(text: str) -> str:
        fits = re.fullmatch(rf"[A-Za-z0-9_-]{{{minimum},128}}", text, re.ASCII)
        if not fits or len(set(text)) < _MINIMUM_DISTINCT:
            raise ValueError(accepts)
        return text

    return Kind("password", accepts, parse)


def fernet_key() -> Kind:
    """The key with which Airflow encrypts connections: 32 bytes in URL-safe base64."""
    accepts = "32 random bytes in URL-safe base64, 44 characters ending in '='"

    def parse(text: str) -> str:
        try:
            key = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise ValueError(accepts) from None
        if len(key) != 32 or not re.fullmatch(r"[A-Za-z0-9_=-]+", text, re.ASCII):
            raise ValueError(accepts)
        return text

    return Kind("Fernet key", accepts, parse)
