"""A StatsD client that follows its exporter to a new address.

Runs in Airflow's processes (``metrics.statsd_custom_client_path``). The client of the statsd package looks
the host up once: a process that outlives the exporter's container would send to an address that nobody
listens on, and one that starts while the name cannot be resolved would send nothing for the rest of its life.
"""

import logging
import socket
import time

from statsd import StatsClient

_LOOK_UP_SECONDS = 5.0

log = logging.getLogger(__name__)


class FollowingStatsClient(StatsClient):
    """Sends like its base class, and looks the exporter's name up again every 5 s while there is traffic."""

    def __init__(self, host="localhost", port=8125, prefix=None, maxudpsize=512, ipv6=False):
        self._target = (host, port, socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
        self._look_up_at = 0.0
        self._addr = None
        self._sock = socket.socket(*self._target[2:])
        self._prefix = prefix
        self._maxudpsize = maxudpsize

    def _send(self, data):
        if time.monotonic() >= self._look_up_at:
            self._look_up()
        if self._addr is not None:
            super()._send(data)

    def _look_up(self):
        try:
            self._addr = socket.getaddrinfo(*self._target)[0][4]
        except OSError as error:
            log.debug(
                "%s cannot be resolved, metrics go to %s meanwhile: %s", self._target[0], self._addr, error
            )
        finally:
            # Counted from the end: a resolver that takes its time must not be asked for every metric.
            self._look_up_at = time.monotonic() + _LOOK_UP_SECONDS
