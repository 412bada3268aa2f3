"""Stands in for everybody who is told of alerts: takes posts and mails, and shows them to the test.

``GET /received`` answers with all of them in order, as JSON: when, by which path (``mail`` for a mail), what.
"""

import json
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTTP_PORT = 8000
SMTP_PORT = 2525
_RECEIVED: list[dict[str, object]] = []


def _record(path: str, content: str) -> None:
    _RECEIVED.append({"at": time.time(), "path": path, "content": content})


class Http(BaseHTTPRequestHandler):
    """A webhook, Slack and PagerDuty by their paths."""

    def do_POST(self) -> None:
        """Take a message; Slack's clients expect ``ok``."""
        _record(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer(b"ok")

    def do_GET(self) -> None:
        """Show what was received."""
        self._answer(json.dumps(_RECEIVED).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as it takes to be given a mail."""

    def handle(self) -> None:
        """Say yes to everything until the client leaves."""
        self._say("220 receivers")
        while command := self.rfile.readline().decode().strip().upper():
            if command == "DATA":
                self._say("354 go on")
                _record("mail", self._mail())
            self._say("221 bye" if command == "QUIT" else "250 ok")
            if command == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _mail(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line.removeprefix("."))
        return "".join(lines)


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    mails = socketserver.ThreadingTCPServer(("", SMTP_PORT), Smtp)
    threading.Thread(target=mails.serve_forever, daemon=True).start()
    ThreadingHTTPServer(("", HTTP_PORT), Http).serve_forever()
