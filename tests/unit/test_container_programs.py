"""The container exporter's programs on made-up records and control groups.

Decides what they make of the engine's records, of both versions of control groups under both drivers, and
of kills for want of memory. Cannot decide whether an engine and a kernel write such files: tests/configs asks
the ones of this machine, which has one of the two versions.
"""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from configs import container_exporter

PROGRAMS = Path(__file__).parents[2] / "configs" / "exporters"
ONE, TWO = "1" * 64, "2" * 64
BEGUN = "2026-01-01T00:00:00.123456789Z"


@pytest.fixture(scope="module")
def program():
    """The program's module, found beside the module that it imports, as in its container."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(PROGRAMS))
        found = importlib.util.spec_from_file_location(
            "container_exporter_program", PROGRAMS / "containers.py"
        )
        module = importlib.util.module_from_spec(found)
        patched.setitem(sys.modules, found.name, module)
        found.loader.exec_module(module)
        yield module


def write(directory, container, *, labels=None, restarts=0, **state):
    """A record such as the engine writes, in place of the one before."""
    known = {"Running": True, "Restarting": False, "Paused": False, "OOMKilled": False, "Dead": False}
    times = {"StartedAt": BEGUN, "FinishedAt": "0001-01-01T00:00:00Z", "ExitCode": 0}
    chosen = {"mlops.project": "p", "mlops.stack": "s", "mlops.service": "one"} | (labels or {})
    record = {
        "State": known | times | state,
        "Config": {"Labels": chosen, "Env": ["PASSWORD=secret"]},
        "RestartCount": restarts,
    }
    file = directory / container / "config.v2.json"
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(record))
    fresh.replace(file)


def fill(root, files):
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def unified(place):
    return {
        "cgroup.controllers": "cpu io memory pids\n",
        f"{place}/cpu.stat": "usage_usec 2500000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 500000\n",
        f"{place}/memory.current": "1000\n",
        f"{place}/memory.max": "4000\n",
        f"{place}/memory.stat": "anon 300\nfile 500\ninactive_file 200\nactive_file 100\n",
        f"{place}/memory.events": "low 0\nhigh 0\nmax 7\noom 2\noom_kill 2\n",
        f"{place}/pids.current": "5\n",
        f"{place}/pids.max": "64\n",
        f"{place}/io.stat": "8:0 rbytes=100 wbytes=20 rios=1 wios=1\n8:16 rbytes=11 wbytes=2 rios=1 wios=1\n",
    }


def split(place):
    return {
        f"cpu/{place}/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 500000000\n",
        f"cpuacct/{place}/cpuacct.usage": "2500000000\n",
        f"memory/{place}/memory.usage_in_bytes": "1000\n",
        f"memory/{place}/memory.limit_in_bytes": "4000\n",
        f"memory/{place}/memory.stat": "total_rss 300\ntotal_inactive_file 200\ntotal_active_file 100\n",
        f"memory/{place}/memory.oom_control": "under_oom 0\noom_kill 2\n",
        f"pids/{place}/pids.current": "5\n",
        f"pids/{place}/pids.max": "64\n",
        f"blkio/{place}/blkio.throttle.io_service_bytes_recursive": (
            "8:0 Read 100\n8:0 Write 20\n8:0 Total 120\n8:16 Read 11\n8:16 Write 2\nTotal 133\n"
        ),
    }


EXPECTED = {
    "container_cpu_usage_seconds": 2.5,
    "container_cpu_cfs_periods": 10,
    "container_cpu_cfs_throttled_periods": 4,
    "container_cpu_cfs_throttled_seconds": 0.5,
    "container_memory_usage_bytes": 1000,
    "container_memory_working_set_bytes": 800,
    "container_memory_total_active_file_bytes": 100,
    "container_memory_rss": 300,
    "container_spec_memory_limit_bytes": 4000,
    "container_oom_events": 2,
    "container_threads": 5,
    "container_threads_max": 64,
    "container_fs_reads_bytes": 111,
    "container_fs_writes_bytes": 22,
}


@pytest.mark.parametrize("files", [unified, split])
@pytest.mark.parametrize(
    "place", [f"docker/{ONE}", f"system.slice/docker-{ONE}.scope", f"a/b/c/docker-{ONE}.scope"]
)
def test_both_versions_under_both_drivers_say_the_same(program, tmp_path, files, place):
    fill(tmp_path, files(place))
    assert program.ControlGroups(tmp_path).read([ONE]) == {ONE: pytest.approx(EXPECTED)}


def test_no_limit_is_not_a_limit(program, tmp_path):
    fill(
        tmp_path / "2",
        unified(f"docker/{ONE}") | {f"docker/{ONE}/{name}.max": "max\n" for name in ("memory", "pids")},
    )
    huge = {
        f"memory/docker/{ONE}/memory.limit_in_bytes": "9223372036854771712\n",
        f"pids/docker/{ONE}/pids.max": "max\n",
    }
    fill(tmp_path / "1", split(f"docker/{ONE}") | huge)
    for version in ("1", "2"):
        values = program.ControlGroups(tmp_path / version).read([ONE])[ONE]
        assert EXPECTED.keys() - values.keys() == {
            "container_spec_memory_limit_bytes",
            "container_threads_max",
        }


def test_what_a_kernel_does_not_count_is_left_out(program, tmp_path):
    fill(tmp_path, {name: text for name, text in split(f"docker/{ONE}").items() if "blkio" not in name})
    values = program.ControlGroups(tmp_path).read([ONE])[ONE]
    assert EXPECTED.keys() - values.keys() == {"container_fs_reads_bytes", "container_fs_writes_bytes"}


def test_a_container_that_has_just_ended_is_left_out_and_a_new_one_is_found(program, tmp_path):
    fill(tmp_path, unified(f"docker/{ONE}"))
    groups = program.ControlGroups(tmp_path)
    assert groups.read([ONE, TWO]).keys() == {ONE}
    fill(tmp_path, unified(f"docker/{TWO}"))
    assert groups.read([ONE, TWO]).keys() == {ONE, TWO}


def test_a_wrong_mount_is_no_answer(program, tmp_path):
    fill(tmp_path, {"cgroup.controllers": ""})
    groups = program.ControlGroups(tmp_path)
    assert groups.read([]) == {}
    with pytest.raises(LookupError, match="no control group of any of 1 running containers"):
        groups.read([ONE])


def test_only_containers_of_the_stack_count(program, tmp_path):
    write(tmp_path, ONE)
    write(tmp_path, TWO, labels={"mlops.stack": "other", "mlops.service": "two"})
    write(tmp_path, "3" * 64, labels={"mlops.project": "other", "mlops.service": "three"})
    (tmp_path / ("4" * 64)).mkdir()
    (record,) = program.Records(tmp_path, project="p", stack="s").read().values()
    assert record == program.Record(
        container=ONE,
        service="one",
        is_step=False,
        runs=True,
        started=pytest.approx(1767225600.123456),
        finished=None,
        exit_code=0,
        restarts=0,
    )


@pytest.mark.parametrize("state", [{"Running": False}, {"Restarting": True}, {"Paused": True}])
def test_what_is_stopped_paused_or_about_to_be_restarted_does_not_run(program, tmp_path, state):
    write(tmp_path, ONE, **state)
    assert not program.Records(tmp_path, project="p", stack="s").read()["one"].runs


def test_the_newest_of_two_containers_of_one_service_counts(program, tmp_path):
    write(tmp_path, ONE, Running=False, StartedAt="2026-01-02T00:00:00Z")
    write(tmp_path, TWO, StartedAt="2026-01-01T00:00:00Z")
    assert program.Records(tmp_path, project="p", stack="s").read()["one"].container == TWO


def test_a_record_is_read_again_when_it_has_changed_and_not_otherwise(program, tmp_path, monkeypatch):
    write(tmp_path, ONE)
    records = program.Records(tmp_path, project="p", stack="s")
    records.read()
    with monkeypatch.context() as patched:
        patched.setattr(program.json, "loads", lambda _text: pytest.fail("it was read again"))
        assert records.read()["one"].runs
    write(tmp_path, ONE, Running=False, ExitCode=3)
    assert records.read()["one"].exit_code == 3


def test_a_record_that_cannot_be_understood_is_no_answer(program, tmp_path):
    (tmp_path / ONE).mkdir()
    (tmp_path / ONE / "config.v2.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        program.Records(tmp_path, project="p", stack="s").read()


def record(program, container, *, started=1.0, restarts=0):
    return program.Record(container, "one", False, True, started, None, 0, restarts)


def test_kills_that_the_group_counts(program):
    kills = program.OutOfMemoryKills()
    assert kills.count([record(program, ONE)], {ONE: 5}, 50) == {ONE: 0}
    assert kills.count([record(program, ONE)], {ONE: 7}, 52) == {ONE: 2}
    assert kills.count([record(program, ONE)], {}, 52) == {ONE: 2}
    assert kills.count([record(program, ONE)], {ONE: 7}, 52) == {ONE: 2}


def test_a_kill_that_ended_the_container(program):
    kills = program.OutOfMemoryKills()
    kills.count([record(program, ONE), record(program, TWO)], {ONE: 1, TWO: 0}, 50)
    again = [record(program, ONE, started=2.0, restarts=1), record(program, TWO)]
    assert kills.count(again, {ONE: 0, TWO: 0}, 51) == {ONE: 1, TWO: 0}
    assert kills.count(again, {ONE: 0, TWO: 0}, 51) == {ONE: 1, TWO: 0}


def test_a_crash_beside_a_kill_in_another_container(program):
    kills = program.OutOfMemoryKills()
    kills.count([record(program, ONE), record(program, TWO)], {ONE: 0, TWO: 0}, 50)
    crashed = [record(program, ONE, started=2.0, restarts=1), record(program, TWO)]
    assert kills.count(crashed, {ONE: 0, TWO: 1}, 51) == {ONE: 0, TWO: 1}


def test_a_kill_elsewhere_on_the_host_and_a_restart_by_hand(program):
    kills = program.OutOfMemoryKills()
    kills.count([record(program, ONE)], {ONE: 0}, 50)
    assert kills.count([record(program, ONE, started=2.0)], {ONE: 0}, 51) == {ONE: 0}


def test_a_new_container_is_counted_from_its_begin(program):
    kills = program.OutOfMemoryKills()
    kills.count([record(program, ONE)], {ONE: 3}, 50)
    assert kills.count([record(program, TWO)], {TWO: 1}, 51) == {TWO: 1}


def test_the_page(program, tmp_path):
    fill(tmp_path / "groups", unified(f"docker/{ONE}"))
    (tmp_path / "records").mkdir()
    write(tmp_path / "records", ONE, restarts=2)
    labels = {"mlops.service": "step", "mlops.role": "one-shot"}
    write(tmp_path / "records", TWO, labels=labels, Running=False, FinishedAt=BEGUN, ExitCode=3)
    (tmp_path / "vmstat").write_text("oom_kill 4\n")
    collector = program.ContainerCollector(
        program.Records(tmp_path / "records", project="p", stack="s"),
        program.ControlGroups(tmp_path / "groups"),
        services=["one", "gone"],
        host_counts=tmp_path / "vmstat",
    )
    found = {
        (sample.name, sample.labels["service"]): sample.value
        for family in collector.collect()
        for sample in family.samples
    }
    assert {found[name] for name in found if name[1] == "gone"} == {0}
    assert found["container_running", "gone"] == 0
    assert found["container_running", "one"] == 1
    assert found["container_restarts_total", "one"] == 2
    assert found["container_start_time_seconds", "one"] == pytest.approx(1767225600.123456)
    assert found["container_exit_code", "step"] == 3
    assert not {name for name, service in found if service == "step"} & {
        "container_running",
        "container_restarts_total",
    }
    assert not any("secret" in str(family) for family in collector.collect())


def test_the_command_line_names_files_that_are_given():
    command = container_exporter.command(project="p", stack="s", services=["b", "a"])
    assert command[1] in container_exporter.files()
    assert command[-2:] == ["--service=a", "--service=b"]
    assert all(path.startswith("/opt/") for path in container_exporter.files())
