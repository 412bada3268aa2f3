"""A webhook that writes down what it gets, a line for each alert: the time, the path, and the alert.

Argument: port.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Takes Alertmanager's messages."""

    # The name is http.server's.
    def do_POST(self) -> None:
        """Answer first, so that nobody waits for the writing."""
        moment = time.time()
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        for alert in message["alerts"]:
            print(json.dumps({"time": moment, "path": self.path, "alert": alert}), flush=True)

    def log_message(self, *_: object) -> None:
        """Say nothing else, since each line is a result."""


# One message after the other, so that their lines do not mix.
HTTPServer(("", int(sys.argv[1])), Receiver).serve_forever()
