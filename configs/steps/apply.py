"""Apply a plan of HTTP requests to a service: ``python3 apply.py plan.json``; safe to repeat.

Runs alone inside a container, so it needs Python's standard library and nothing else. The plan holds no
secret: the password and each ``{"$secret": name}`` are read from files below /run/secrets when they are
sent, and never printed. One line for each request; the first failure ends the step with exit code 1 and the
server's own words.
"""

import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SECRETS = Path("/run/secrets")
_ANSWER_SECONDS = 60
_POLL_SECONDS = 1.0
# How long a server that is still warming up is asked again; every request may be sent twice.
_PATIENCE_SECONDS = 120
_BUSY = (408, 429, 502, 503, 504)
_LONGEST_ANSWER = 2000
_BOUNDARY = "8f1d6c0e5b7a4932"


class StepError(Exception):
    """A request that was refused, or a service that never became ready; the message is for the user."""


class Client:
    """Talks to one service as one user."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        """``base_url`` has no slash at its end."""
        login = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._base_url = base_url
        self._headers = {"Authorization": f"Basic {login}"}

    def send(
        self, method: str, path: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Return the answer's status code and text.

        Raises:
            OSError: the service cannot be reached.
        """
        made = urllib.request.Request(
            self._base_url + path, data=data, method=method, headers={**self._headers, **(headers or {})}
        )
        try:
            with urllib.request.urlopen(made, timeout=_ANSWER_SECONDS) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode(errors="replace")

    def insist(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _PATIENCE_SECONDS,
    ) -> tuple[int, str]:
        """Like ``send``, but repeated for up to ``seconds`` while the service is not up or too busy.

        Raises:
            StepError: it could not be reached in that time.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                status, text = self.send(method, path, data=data, headers=headers)
                if status not in _BUSY or time.monotonic() > deadline:
                    return status, text
            except OSError as error:
                if time.monotonic() > deadline:
                    raise StepError(f"{method} {path}: {error}") from error
            time.sleep(_POLL_SECONDS)


def read_secret(name: str) -> str:
    """The content of the secret file ``name``, without the newline at its end."""
    return (SECRETS / name).read_text(encoding="utf-8").rstrip("\n")


def redacted(text: str) -> str:
    """A server's words, cut to a readable length, with any secret that they repeat struck out."""
    for file in SECRETS.iterdir() if SECRETS.is_dir() else ():
        value = read_secret(file.name)
        if value:
            text = text.replace(value, "***")
    return text[:_LONGEST_ANSWER]


def filled(value: Any) -> Any:
    """``value`` with each ``{"$secret": name}`` in it replaced by that secret."""
    if isinstance(value, dict):
        if set(value) == {"$secret"}:
            return read_secret(value["$secret"])
        return {key: filled(member) for key, member in value.items()}
    if isinstance(value, list):
        return [filled(member) for member in value]
    return value


def encode(step: Mapping[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    """A step's body and headers: JSON, a file's upload, or nothing."""
    headers = dict(step.get("headers", {}))
    if "file" in step:
        upload = step["file"]
        lines = "\n".join(json.dumps(line, sort_keys=True) for line in upload["lines"])
        disposition = f'Content-Disposition: form-data; name="file"; filename="{upload["name"]}"'
        head = f"--{_BOUNDARY}\r\n{disposition}\r\nContent-Type: application/ndjson\r\n\r\n"
        headers["Content-Type"] = f"multipart/form-data; boundary={_BOUNDARY}"
        return f"{head}{lines}\n\r\n--{_BOUNDARY}--\r\n".encode(), headers
    if "body" in step:
        headers["Content-Type"] = "application/json"
        return json.dumps(filled(step["body"])).encode(), headers
    return None, headers


def apply(step: Mapping[str, Any], client: Client) -> str:
    """Send one request and return what became of it, in a word or two.

    Raises:
        StepError: the service refused it.
    """
    if "unless" in step and client.insist("GET", step["unless"])[0] == 200:
        return "there already"
    data, headers = encode(step)
    status, text = client.insist(step["method"], step["path"], data=data, headers=headers)
    if status in step["expect"] and not _partly_failed(text):
        return "done"
    raise StepError(f"{step['method']} {step['path']} answered {status}: {redacted(text)}")


def _partly_failed(text: str) -> bool:
    """Whether an answer of success tells of failures inside, as Kibana's import and bulk requests do."""
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and (answer.get("success") is False or bool(answer.get("errors")))


def run(plan: Mapping[str, Any]) -> None:
    """Carry out the whole plan.

    Raises:
        StepError: at the first request that fails.
    """
    password = Path(plan["password_file"]).read_text(encoding="utf-8").rstrip("\n")
    client = Client(plan["base_url"], plan["username"], password)
    status, text = client.insist("GET", plan["ready"]["path"], seconds=plan["ready"]["seconds"])
    if status != 200:
        raise StepError(f"GET {plan['ready']['path']} answered {status}: {redacted(text)}")
    print(f"{plan['service']}: ready", flush=True)
    for step in plan["requests"]:
        print(f"{plan['service']}: {step['name']}: {apply(step, client)}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Apply the plan in the file that is the only argument; the exit code is the process's."""
    try:
        run(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    except (StepError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
