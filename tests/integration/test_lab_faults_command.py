"""``aiops lab inject|revert|faults`` as people use them, also when somebody is killed."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_process import aiops, up
from small_lab import eventually


# As deep as folders of build machines are: deeper than the path of a socket may be long.
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a-rather-long-name-of-a-folder" / "for-a-lab-of-a-build-of-a-branch" / "lab"


@pytest.fixture
def lab(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with up(folder) as lab:
        yield lab


def active(folder: Path) -> list[str]:
    said = json.loads(aiops("faults", "--dir", folder, "--json").stdout)
    return [f"{one['entity']['name']}/{one['kind']}" for one in said["truths"]]


def test_faults_come_and_go_and_what_is_wrong_names_what_is_right(
    lab: subprocess.Popen[str], folder: Path
) -> None:
    done = aiops("inject", "shelf/errors", "--dir", folder, "--set", "share=1", "--json")
    truth = json.loads(done.stdout)
    assert (truth["entity"]["service"], truth["fault_type"]) == ("shelf", "error")
    assert truth["parameters"] == {"share": 1.0}
    aiops("inject", "door/cpu", "--dir", folder, "--at", "60", "--duration", "30")
    assert active(folder) == ["shelf/errors", "door/cpu"]

    wrong = aiops("inject", "shop/errors", "--dir", folder)
    assert wrong.returncode == 2
    assert "unknown target of errors 'shop'; choose from: door, shelf" in wrong.stderr
    assert aiops("inject", "shelf/fire", "--dir", folder).returncode == 2
    assert aiops("inject", "shelf/errors", "--set", "a=1", "--dir", folder).returncode == 2
    assert aiops("revert", "f7", "--dir", folder).returncode == 2
    assert aiops("revert", "--dir", folder).returncode == 2

    assert aiops("revert", "f1", "--dir", folder).stdout == "f1  shelf/errors is reverted\n"
    assert "f2  door/cpu is reverted" in aiops("revert", "--all", "--dir", folder).stdout
    assert aiops("revert", "--all", "--dir", folder).stdout == "nothing is broken\n"
    assert active(folder) == []


def test_a_lab_that_ends_puts_everything_right_first(
    lab: subprocess.Popen[str], folder: Path
) -> None:
    aiops("inject", "shelf/errors", "--dir", folder)
    assert aiops("down", "--dir", folder).returncode == 0
    lines = (folder / "faults.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["scheduled", "begun", "ended"]
    assert not (folder / "control").exists()


def test_after_a_killed_lab_its_journal_knows_what_was_broken_and_closes(
    lab: subprocess.Popen[str], folder: Path
) -> None:
    aiops("inject", "shelf-db/disk-fill", "--dir", folder)
    eventually(lambda: list(folder.glob("pods/*/data/*/ballast")))
    os.kill(lab.pid, signal.SIGKILL)
    lab.wait()
    refused = aiops("inject", "shelf/cpu", "--dir", folder)
    assert refused.returncode == 2
    assert "no lab runs in" in refused.stderr
    assert "1 of its faults ended with it" in aiops("revert", "--all", "--dir", folder).stdout
    assert not list(folder.glob("pods/*/data/*/ballast"))
    assert aiops("revert", "--all", "--dir", folder).returncode == 2


def test_the_faults_of_a_system_are_listed_without_a_lab(tmp_path: Path) -> None:
    listed = aiops("faults", "--dir", tmp_path / "none").stdout
    assert "--set cores=0.3  burnt by all its pods; their limits hold (0.01 to 0.5 cores)" in listed
    assert "nothing is broken now" in listed
