"""``aiops lab`` as people use it: up, status, down, Ctrl-C, and a kill -9 that leaves nothing."""

import json
import os
import signal
import socket
import time
from pathlib import Path

from lab_process import aiops, up
from small_lab import TOPOLOGY, alive, eventually, fetch


def children(pid: int) -> list[int]:
    """Every process below one."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    direct = [int(child) for path in listed for child in path.read_text().split()]
    return direct + [one for child in direct for one in children(child)]


def test_two_labs_run_side_by_side_and_end_without_a_trace(tmp_path: Path) -> None:
    with up(tmp_path / "one") as one, up(tmp_path / "two", "--rate", "20") as two:
        eventually(lambda: aiops("status", "--dir", tmp_path / "two", "--json").returncode == 0)
        status = json.loads(aiops("status", "--dir", tmp_path / "two", "--json").stdout)
        assert [service["ready"] for service in status["services"]] == [1] * 6
        assert fetch(status["front_end"])[0] == 200
        again = aiops("up", "--dir", tmp_path / "one")
        assert again.returncode == 2
        assert f"a lab runs in {tmp_path / 'one'} already" in again.stderr

        processes = children(one.pid)
        assert len(processes) > 6  # six pods, what forks them, the network
        one.kill()
        one.wait()
        eventually(lambda: not any(map(alive, processes)))

        processes = children(two.pid)
        began = time.monotonic()
        two.send_signal(signal.SIGINT)
        assert two.wait() == 0
        assert time.monotonic() - began < 5
        assert not any(map(alive, processes))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kiosk.yaml", "one", "two"]


def test_down_ends_a_lab_and_says_where_there_is_none(tmp_path: Path) -> None:
    with up(tmp_path / "lab", "--rate", "0") as lab:
        assert aiops("down", "--dir", tmp_path / "lab").returncode == 0
        assert lab.wait() == 0
    nothing = aiops("down", "--dir", tmp_path / "lab")
    assert nothing.returncode == 2
    assert "no lab runs" in nothing.stderr


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = aiops("up", "--dir", tmp_path / "lab", "--port", str(port))
    assert refused.returncode == 2
    assert f"port {port} is in use" in refused.stderr


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused = aiops("up", "--dir", tmp_path)
    assert refused.returncode == 2
    assert os.listdir(tmp_path) == ["thesis.txt"]  # noqa: PTH208 - names only


def test_a_broken_topology_names_file_and_key(tmp_path: Path) -> None:
    topology = tmp_path / "broken.yaml"
    topology.write_text(TOPOLOGY.replace("replicas", "x").replace("port: 8081", "port: eighty"))
    refused = aiops("up", "--topology", topology, "--dir", tmp_path / "lab")
    assert refused.returncode == 2
    assert f"{topology}: services.shelf.port: must be a number" in refused.stderr
