"""What runs beside a lab, and a lab in a bad place: killed, in the way of others, out of room."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from programs import needed
from small_lab import PATIENCE_S, eventually, written

from aiops_lab.watch.rules import rules

AIOPS = Path(sys.executable).with_name("aiops")


def aiops(
    *arguments: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AIOPS, "lab", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=environment,
    )


@contextmanager
def up(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A lab in a process of its own, ready, its errors in a file beside it."""
    line = [AIOPS, "lab", "up", "--dir", folder, "--topology", written(folder.parent), *options]
    # A lab whose disk is full would leave cut bytecode where every other test finds it.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        folder.with_suffix(".err").open("w") as errors,
        subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        ) as lab,
    ):
        try:
            assert lab.stdout is not None
            said = lab.stdout.readline()
            assert "pods ready after" in said, folder.with_suffix(".err").read_text()
            yield lab
        finally:
            lab.kill()


@pytest.fixture
def programs() -> None:
    for program in ("prometheus", "prometheus-alertmanager"):
        needed(program)


def below(pid: int) -> list[int]:
    """Every process below one."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    direct = [int(child) for path in listed for child in path.read_text().split()]
    return direct + [one for child in direct for one in below(child)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def state(folder: Path) -> dict:
    return json.loads((folder / "state.json").read_text())


def process_of(lab: subprocess.Popen[str], name: str) -> int:
    """The lab's own child with this in its command line."""
    for pid in below(lab.pid):
        if name in Path(f"/proc/{pid}/cmdline").read_text():
            return pid
    raise AssertionError(f"no {name} runs")


@pytest.mark.usefixtures("programs")
def test_a_program_that_is_killed_starts_again_and_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with up(folder, "--with-monitoring") as lab:
        os.kill(process_of(lab, "--storage.tsdb.path"), signal.SIGKILL)

        def again() -> bool:
            said = {one["name"]: one for one in state(folder)["programs"]}
            return said["prometheus"]["restarts"] == 1 and said["prometheus"]["up"]

        eventually(again)
        assert "started again 1 times" in aiops("status", "--dir", folder).stdout


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_that_watches_a_lab_outlives_it(number: int, tmp_path: Path) -> None:
    with up(tmp_path / "lab", "--with-monitoring") as lab:
        processes = below(lab.pid)
        lab.send_signal(number)
        lab.wait(PATIENCE_S)
        eventually(lambda: not any(map(alive, processes)))
    assert {path.name for path in tmp_path.iterdir()} == {"lab", "lab.err", "kiosk.yaml"}


def test_a_machine_without_prometheus_is_told_what_to_install(tmp_path: Path) -> None:
    refused = aiops(
        "up", "--dir", tmp_path / "lab", "--with-monitoring", environment={"PATH": str(tmp_path)}
    )
    assert refused.returncode == 2
    assert "alertmanager and prometheus, not found on the PATH" in refused.stderr
    assert not (tmp_path / "lab").exists()


@pytest.mark.usefixtures("programs")
def test_a_port_that_is_in_use_is_said_with_the_option_to_change(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ("--with-monitoring", "--aiops-port", port)
        refused = aiops("up", "--dir", tmp_path / "lab", *options)
    assert refused.returncode == 2
    assert f"port {port} is in use by another process; choose another --aiops-port" in (
        refused.stderr
    )


def test_a_lab_goes_on_where_its_disk_takes_no_more_and_says_so(tmp_path: Path) -> None:
    """A limit of no bytes a file is what a full disk looks like, to a user as to root."""
    folder = tmp_path / "lab"
    with up(folder, "--rate", "0") as lab:
        eventually(lambda: (folder / "state.json").exists())
        resource.prlimit(lab.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        assert lab.stdout is not None
        line = next(said for said in lab.stdout if "cannot write to" in said)
        assert "make room" in line
        assert state(folder)["schema"] == "aiops.lab/1"  # the one before, whole

        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(lab.pid, resource.RLIMIT_FSIZE, unlimited)
        before = state(folder)["at"]
        eventually(lambda: state(folder)["at"] > before)
        eventually(lambda: state(folder)["unwritten"] == "")
        assert aiops("down", "--dir", folder).returncode == 0
        assert lab.wait(PATIENCE_S) == 0
    assert (folder.with_suffix(".err")).read_text() == ""


def test_what_a_lab_said_long_ago_is_not_taken_for_now(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with up(folder, "--rate", "0") as lab:
        eventually(lambda: (folder / "state.json").exists())
        lab.send_signal(signal.SIGSTOP)
        old = {**state(folder), "at": "2026-01-01T00:00:00+00:00"}
        (folder / "state.json").write_text(json.dumps(old))
        stale = aiops("status", "--dir", folder)
        lab.send_signal(signal.SIGCONT)
    assert stale.returncode == 1
    assert "the lab has written nothing since" in stale.stderr


def test_a_folder_that_takes_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = aiops("up", "--dir", tmp_path / "file" / "lab")
    assert refused.returncode == 1
    assert "cannot write to" in refused.stderr
    assert "choose another --dir" in refused.stderr


@pytest.mark.usefixtures("programs")
def test_the_rules_are_such_as_prometheus_reads(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(rules("door")))
    told = subprocess.run(
        [needed("promtool"), "check", "rules", path], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
