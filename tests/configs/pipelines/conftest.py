"""Run tasks in the platform's image, under Airflow's own supervisor: see ``in_image/supervised.py``."""

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from file_archive import archive
from stack_files import REPOSITORY

from configs import airflow
from configs.versions import ImageSet, image_for, lacks, release

_IN_IMAGE = Path(__file__).with_name("in_image")
_PIPELINES = REPOSITORY / "pipelines"
_SCRIPTS = "/opt/scripts"
_SECONDS = 300
_MEMORY = 1536 * 2**20
# Any valid Fernet key will do; this one protects nothing.
_SECRETS = {
    "sql_alchemy_conn": "sqlite:////tmp/airflow.db",
    "fernet_key": "0" * 43 + "=",
    "api_secret_key": "only-for-tests-api",
    "jwt_secret": "only-for-tests-jwt",
}
_MARK = "RESULT "

RunScript = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """What became of a task: exit code, reported state, log lines, StatsD lines in their order."""

    code: int
    state: str | None
    log: Sequence[Mapping[str, Any]]
    statsd: Sequence[str]

    def sent(self, metric: str) -> list[float]:
        """The values sent for ``airflow.<metric>``, one for each line."""
        lines = (line for line in self.statsd if line.split(",")[0].split(":")[0] == f"airflow.{metric}")
        return [float(line.rpartition(":")[2].split("|")[0]) for line in lines]

    def messages(self) -> str:
        """The log's messages, one to a line."""
        return "\n".join(line["event"] for line in self.log)


@pytest.fixture(scope="session")
def pipelines_image(image_set: ImageSet) -> str:
    """Airflow with the team's requirements, built as the platform builds it; layers are kept."""
    tag = f"configs-test/airflow-pipelines:{release('airflow', image_set).version}"
    network = ["--network=host"] if lacks("airflow", image_set, "bridge_build") else []
    arguments = {"BASE": image_for("airflow", image_set), "AIRFLOW_VERSION": tag.rpartition(":")[2]}
    build = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    command = ["docker", "build", "--quiet", *network, *build, f"--tag={tag}", str(_PIPELINES)]
    answer = subprocess.run(command, capture_output=True, check=False, timeout=1200)
    assert answer.returncode == 0, answer.stderr.decode()[-2000:]
    return tag


@pytest.fixture(scope="session")
def run_script(image_set: ImageSet) -> Iterator[RunScript]:
    """Run a Python file of this directory in an Airflow container and return its result."""
    engine = docker.from_env()

    def run(
        name: str,
        *arguments: str,
        image: str = "",
        dags: Mapping[str, str] | None = None,
        plugins: bool = True,
        memory: int = _MEMORY,
        environment: Mapping[str, str] | None = None,
    ) -> Any:
        container = engine.containers.create(
            image or image_for("airflow", image_set),
            entrypoint=["python", f"{_SCRIPTS}/{name}"],
            command=list(arguments),
            name=f"configs-test-{uuid.uuid4().hex[:12]}",
            user="50000:0",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit=memory,
            memswap_limit=memory,
            init=True,
            environment=_environment() | dict(environment or {}),
        )
        try:
            container.put_archive("/", archive(_files(dags, plugins=plugins)))
            container.start()
            code = container.wait(timeout=_SECONDS)["StatusCode"]
            log = container.logs().decode(errors="replace")
        finally:
            container.remove(force=True, v=True)
        results = [line for line in log.splitlines() if line.startswith(_MARK)]
        assert (code, len(results)) == (0, 1), log[-4000:]
        return json.loads(results[0].removeprefix(_MARK))

    yield run
    engine.close()


@pytest.fixture(scope="session")
def run_plans(run_script: RunScript) -> Callable[..., list[dict[str, Task]]]:
    """Run tasks of several DAG runs in one container; ``options`` are those of ``run_script``."""

    def run(*plans: Mapping[str, Any], **options: Any) -> list[dict[str, Task]]:
        found = run_script("supervised.py", json.dumps(plans), **options)
        return [{task_id: Task(**result) for task_id, result in each.items()} for each in found]

    return run


@pytest.fixture(scope="session")
def run_tasks(run_plans: Callable[..., list[dict[str, Task]]]) -> Callable[..., dict[str, Task]]:
    """Run tasks of one DAG run in turn; ``options`` are those of ``run_script``."""

    def run(
        dag_id: str,
        *tasks: str,
        file: str,
        conf: Mapping[str, Any] | None = None,
        carrier: Mapping[str, str] | None = None,
        **options: Any,
    ) -> dict[str, Task]:
        plan = {"dag_id": dag_id, "run_id": "test", "file": file, "tasks": tasks}
        plan |= {"conf": dict(conf or {}), "carrier": dict(carrier or {})}
        [done] = run_plans(plan, **options)
        return done

    return run


def _environment() -> dict[str, str]:
    told = airflow.environment(
        stack="test",
        public_url="http://localhost:8080",
        parallelism=2,
        api_workers=1,
        dag_refresh_seconds=10,
        dags_paused_at_creation=False,
        log_level="INFO",
    )
    # The supervisor may see an end as late as at its next heartbeat.
    return told | {
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }


def _files(dags: Mapping[str, str] | None, *, plugins: bool) -> dict[str, str]:
    folders = ["include", *(["dags"] if dags is None else []), *(["plugins"] if plugins else [])]
    files = {
        f"{airflow.HOME}/{folder}/{path.name}": path.read_text()
        for folder in folders
        for path in (_PIPELINES / folder).glob("*.py")
    }
    files |= {f"{airflow.HOME}/dags/{name}": text for name, text in (dags or {}).items()}
    files |= {f"{_SCRIPTS}/{path.name}": path.read_text() for path in _IN_IMAGE.glob("*.py")}
    files |= {f"/run/secrets/{name}": text for name, text in _SECRETS.items()}
    return files | dict(airflow.probe_files())
