"""A double of Kibana, for tests where no Kibana image is to be had; it stores in memory and shows nothing.

It imitates a few calls (status, data views, saved objects import and find) with the checks of the real
one that the platform could get wrong: configuration files that exist and hold what Kibana needs, a
``kbn-xsrf`` header on writes, users whom Elasticsearch knows, whole multipart uploads, and references to
objects that exist. Like the real one it is available only while Elasticsearch accepts its own login.

The files' keys must be flat, one ``key: value`` a line or one JSON object: the standard library has no YAML.
"""

import argparse
import base64
import binascii
import json
import signal
import sys
import urllib.error
import urllib.request
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

_VERSION = "9.4.3-double"
_TIMEOUT_SECONDS = 5
_SHORTEST_KEY = 32
_COLUMNS = 48
_REQUIRED = ("elasticsearch.username", "elasticsearch.password", "elasticsearch.hosts", "server.host")
_KEYS = (
    "xpack.security.encryptionKey",
    "xpack.encryptedSavedObjects.encryptionKey",
    "xpack.reporting.encryptionKey",
)


def read_config(files: list[Path]) -> dict[str, Any]:
    """The settings of all files, later ones over earlier ones."""
    settings: dict[str, Any] = {}
    for file in files:
        text = file.read_text(encoding="utf-8")
        settings.update(json.loads(text) if text.lstrip().startswith("{") else _flat_yaml(text))
    for name in _REQUIRED:
        if not settings.get(name):
            sys.exit(f"FATAL Error: [config validation of {name}]: expected a value")
    for name in _KEYS:
        if len(settings.get(name, "")) < _SHORTEST_KEY:
            sys.exit(
                f"FATAL Error: [config validation of {name}]: expected at least {_SHORTEST_KEY} characters"
            )
    return settings


def _flat_yaml(text: str) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    key = ""
    for line in filter(str.strip, text.splitlines()):
        if line.lstrip().startswith("#"):
            continue
        if line.startswith("- "):
            settings[key] = [*(settings[key] or []), line[2:].strip()]
            continue
        key, _, value = line.partition(":")
        settings[key] = value.strip().strip("'\"")
    return settings


class Elasticsearch:
    """Asks the log store whether it knows a user."""

    def __init__(self, settings: dict[str, Any]) -> None:
        hosts = settings["elasticsearch.hosts"]
        self._url = hosts[0] if isinstance(hosts, list) else hosts
        login = f"{settings['elasticsearch.username']}:{settings['elasticsearch.password']}"
        self._own = "Basic " + base64.b64encode(login.encode()).decode()

    def knows(self, authorization: str | None = None) -> bool:
        """Whether the user of an Authorization header, or Kibana's own, may log in."""
        call = urllib.request.Request(
            f"{self._url}/_security/_authenticate", headers={"Authorization": authorization or self._own}
        )
        try:
            with urllib.request.urlopen(call, timeout=_TIMEOUT_SECONDS) as answer:
                return answer.status == 200
        except OSError:
            return False


def fault_of(one: dict[str, Any]) -> str:
    """What is wrong with a saved object's own structure, in words; empty when nothing is."""
    names = {reference["name"] for reference in one["references"]}
    attributes = one["attributes"]
    try:
        source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
        wanted = {source["indexRefName"]} if one["type"] == "search" else set()
        wanted |= {each["meta"]["indexRefName"] for each in source["filter"]}
        if one["type"] == "dashboard":
            wanted |= _panel_references(json.loads(attributes["panelsJSON"]))
            controls = json.loads(attributes["controlGroupInput"]["panelsJSON"])
            wanted |= {f"controlGroup_{name}:optionsListDataView" for name in controls}
    except (KeyError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "".join(f"no reference is named {name}; " for name in sorted(wanted ^ names))


def _panel_references(panels: list[dict[str, Any]]) -> set[str]:
    """The names of the references that a dashboard's panels make use of.

    Raises:
        ValueError: panels lie on each other or beside the grid, or a chart contradicts itself.
    """
    taken: set[tuple[int, int]] = set()
    wanted = set()
    for panel in panels:
        index, grid = panel["panelIndex"], panel["gridData"]
        cells = {(x + grid["x"], y + grid["y"]) for x in range(grid["w"]) for y in range(grid["h"])}
        if grid["i"] != index or cells & taken or grid["x"] + grid["w"] > _COLUMNS:
            raise ValueError(f"panel {index} has no place of its own")
        taken |= cells
        if panel["type"] == "search":
            wanted.add(f"{index}:{panel['panelRefName']}")
        elif panel["type"] == "lens":
            wanted |= {
                f"{index}:{name}" for name in _lens_references(panel["embeddableConfig"]["attributes"])
            }
        else:
            raise ValueError(f"panel {index} is of the unknown type {panel['type']}")
    return wanted


def _lens_references(attributes: dict[str, Any]) -> set[str]:
    """The names of a chart's references, one for each of its layers."""
    layers = attributes["state"]["datasourceStates"]["formBased"]["layers"]
    shape = attributes["state"]["visualization"]
    for drawn in shape.get("layers", [shape]):
        columns = layers[drawn["layerId"]]["columns"]
        shown = [drawn[key] for key in ("xAccessor", "splitAccessor") if key in drawn]
        shown += drawn.get("accessors", [each["columnId"] for each in drawn.get("columns", [])])
        if not set(shown) <= set(columns) or sorted(layers[drawn["layerId"]]["columnOrder"]) != sorted(
            columns
        ):
            raise ValueError(f"the chart {attributes['title']!r} shows columns that it does not have")
    names = {f"indexpattern-datasource-layer-{layer}" for layer in layers}
    if {reference["name"] for reference in attributes["references"]} != names:
        raise ValueError(f"the chart {attributes['title']!r} has layers without a data view")
    return names


class Handler(BaseHTTPRequestHandler):
    """The double's HTTP interface."""

    elasticsearch: Elasticsearch
    objects: dict[tuple[str, str], dict[str, Any]]

    def do_GET(self) -> None:
        """Answer the status to anybody, and stored objects to users."""
        path, _, query = self.path.partition("?")
        if path == "/api/status":
            up = self.elasticsearch.knows()
            overall = {"level": "available" if up else "critical", "summary": "a double of Kibana"}
            self._answer(
                200 if up else 503, {"version": {"number": _VERSION}, "status": {"overall": overall}}
            )
        elif not self._authenticated():
            self._refuse(401, "Unauthorized")
        elif path == "/api/saved_objects/_find":
            kinds = parse_qs(query).get("type", [])
            found = [each for each in self.objects.values() if each["type"] in kinds]
            self._answer(200, {"total": len(found), "saved_objects": found})
        elif path == "/api/data_views":
            views = [each["attributes"] for each in self.objects.values() if each["type"] == "index-pattern"]
            self._answer(200, {"data_view": views})
        elif path.startswith("/api/data_views/data_view/"):
            view = self.objects.get(("index-pattern", path.rpartition("/")[2]))
            self._answer(200, {"data_view": view["attributes"]}) if view else self._refuse(404, "Not Found")
        else:
            self._refuse(404, "Not Found")

    def do_POST(self) -> None:
        """Store a data view or imported objects."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        if "kbn-xsrf" not in self.headers:
            self._refuse(400, "Request must contain a kbn-xsrf header.")
        elif not self._authenticated():
            self._refuse(401, "Unauthorized")
        elif path == "/api/data_views/data_view":
            self._create_data_view(json.loads(body))
        elif path == "/api/saved_objects/_import":
            self._import(body, overwrite="overwrite=true" in query)
        else:
            self._refuse(404, "Not Found")

    def log_message(self, format: str, *arguments: object) -> None:
        """One line for each request, without headers."""
        print(f"kibana double: {format % arguments}", flush=True)

    def _create_data_view(self, request: dict[str, Any]) -> None:
        view = request["data_view"]
        key = ("index-pattern", view["id"])
        if key in self.objects and not request.get("override"):
            self._refuse(400, f"Duplicate data view: {view['title']}")
            return
        self.objects[key] = {"type": key[0], "id": key[1], "attributes": view, "references": []}
        self._answer(200, {"data_view": view})

    def _import(self, body: bytes, *, overwrite: bool) -> None:
        head = f"Content-Type: {self.headers.get('Content-Type', '')}\r\n\r\n".encode()
        files = [
            part for part in message_from_bytes(head + body, policy=HTTP).iter_parts() if part.get_filename()
        ]
        if not files or not files[0].get_filename().endswith(".ndjson"):
            self._refuse(415, "Expected one upload of an .ndjson file")
            return
        lines = files[0].get_payload(decode=True).decode().splitlines()
        objects = [json.loads(line) for line in lines if line.strip()]
        errors = []
        known = set(self.objects) | {(one["type"], one["id"]) for one in objects}
        for one in objects:
            missing = [ref for ref in one["references"] if (ref["type"], ref["id"]) not in known]
            key = (one["type"], one["id"])
            if missing:
                reason = {"type": "missing_references", "references": missing}
                errors.append({"type": key[0], "id": key[1], "error": reason})
            elif fault := fault_of(one):
                reason = {"type": "unknown", "message": fault, "statusCode": 500}
                errors.append({"type": key[0], "id": key[1], "error": reason})
            elif key in self.objects and not overwrite:
                errors.append({"type": key[0], "id": key[1], "error": {"type": "conflict"}})
            else:
                self.objects[key] = one
        answer = {"success": not errors, "successCount": len(objects) - len(errors), "errors": errors}
        self._answer(200, {name: value for name, value in answer.items() if value or name != "errors"})

    def _authenticated(self) -> bool:
        authorization = self.headers.get("Authorization", "")
        scheme, _, login = authorization.partition(" ")
        try:
            known = scheme == "Basic" and b":" in base64.b64decode(login, validate=True)
        except binascii.Error:
            return False
        return known and self.elasticsearch.knows(authorization)

    def _refuse(self, status: int, message: str) -> None:
        self._answer(status, {"statusCode": status, "message": message})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Serve until a TERM signal, on the port that the configuration names."""
    parser = argparse.ArgumentParser(description="double of Kibana")
    parser.add_argument("-c", "--config", action="append", type=Path, default=[])
    settings = read_config(parser.parse_args().config)
    Handler.elasticsearch = Elasticsearch(settings)
    Handler.objects = {}
    address = (settings["server.host"], int(settings.get("server.port", 5601)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ThreadingHTTPServer(address, Handler) as server:
        print(f"kibana double: listening on {address[0]}:{address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
