"""Send StatsD gauges whose value is the time at which they are sent, and say when.

Arguments: host, port, name of the gauge, how many, seconds between them on average.
"""

import random
import socket
import sys
import time


def main(host: str, port: int, name: str, count: int, gap: float) -> None:
    """Gaps differ, so that no sample falls into step with anything that runs at intervals."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        address = (socket.gethostbyname(host), port)
        for _ in range(count):
            moment = time.time()
            sender.sendto(f"{name}:{moment!r}|g".encode(), address)
            print(moment, moment, flush=True)
            time.sleep(random.uniform(0.5, 1.5) * gap)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
