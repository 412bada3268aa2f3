"""Health probe of an Airflow process that beats in the database: ``heartbeat.py SchedulerJob``.

Healthy (exit code 0) when a job of that type, started on this host since this container was, is running and
has beaten lately. It asks the database directly: ``airflow jobs check`` imports all of Airflow, too much for
every few seconds. What a predecessor under the same host name has left in the table does not count.
"""

import os
import socket
import sys
import time
from pathlib import Path

_CONNECTION = Path("/run/secrets/sql_alchemy_conn")
_LATE_SECONDS = 30
_TIMEOUT_SECONDS = 3
_QUERY = """
select extract(epoch from now() - max(latest_heartbeat))
  from job
 where job_type = %s and hostname = %s and state = 'running'
   and now() - start_date < make_interval(secs => %s)
"""


def container_age() -> float:
    """Seconds since the container's first process was started."""
    ticks = int(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def verdict(heartbeat_age: float | None) -> str | None:
    """Say what is wrong about a newest heartbeat of that age in seconds (None: there is none), or None."""
    if heartbeat_age is None:
        return "no running job of this container yet"
    if heartbeat_age > _LATE_SECONDS:
        return f"the last heartbeat is {heartbeat_age:.0f} s old"
    return None


def newest_heartbeat_age(job_type: str) -> float | None:
    """Seconds since the newest heartbeat of this container's job, None without one."""
    import psycopg2  # only here, so that the rest can be tested without it

    uri = _CONNECTION.read_text().strip().replace("postgresql+psycopg2://", "postgresql://", 1)
    options = f"-c statement_timeout={_TIMEOUT_SECONDS}s"
    connection = psycopg2.connect(uri, connect_timeout=_TIMEOUT_SECONDS, options=options)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, (job_type, socket.gethostname(), container_age() + 1))
            (age,) = cursor.fetchone()
    finally:
        connection.close()
    return None if age is None else float(age)


def main() -> int:
    """Print what is wrong, if anything, for the engine's record of the probe."""
    job_type = sys.argv[1]
    problem = verdict(newest_heartbeat_age(job_type))
    if problem:
        print(f"{job_type}: {problem}")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
