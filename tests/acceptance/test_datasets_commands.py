"""``aiops datasets``: what a person sees, and the exit codes a script relies on."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import typer
from loopback import Quiet, listening
from typer.testing import CliRunner, Result

from aiops_datasets.commands import register

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("AIOPS_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no data sets; set AIOPS_DATASETS")

app = typer.Typer()
register(app)


@app.callback()
def main() -> None:
    """Keeps ``datasets`` a subcommand, as it is of ``aiops``."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["datasets", *map(str, arguments)], env={"AIOPS_DATASETS": None})


def answer(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A data folder with one case of one set, written here."""
    case = tmp_path / "made-up" / "case-1"
    case.mkdir(parents=True)
    rows = [f"{1000 + i},{5 + i % 2},{100 if i > 30 else 1}" for i in range(60)]
    (case / "metrics.csv").write_text("\n".join(["time,web_cpu,db_cpu", *rows]) + "\n")
    facts = {
        "dataset": "made-up",
        "case_id": "case-1",
        "inject_time": 1030,
        "inject_time_kind": "exact",
        "root_cause_service": "db",
        "root_cause_metric": "db_cpu",
        "fault_type": "cpu",
        "modalities": ["metrics"],
    }
    (case / "case.json").write_text(json.dumps(facts))
    lines = []
    for path in sorted(case.iterdir()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  {path.relative_to(tmp_path)}\n")
    (tmp_path / "SHA256SUMS").write_text("".join(lines))
    return tmp_path


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which a web server on this machine gives it out."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()

    class Files(Quiet, SimpleHTTPRequestHandler):
        """Gives out the folder."""

    with listening(partial(Files, directory=str(folder))) as address:
        yield folder, address


def manifest(folder: Path, url: str, content: bytes, **changes: object) -> Path:
    pin = {
        "url": url,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "archive": "tar",
        "unpack": "fetched",
        **changes,
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps({"fetch": [pin]}))
    return path


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
        info = tarfile.TarInfo("case-1/metrics.csv")
        info.size = 5
        opened.addfile(info, io.BytesIO(b"time\n"))
    return buffer.getvalue()


def test_list_shows_what_is_there_and_what_we_know_with_its_licence(small: Path) -> None:
    rows = {row["name"]: row for row in answer("list", "--data", small)}
    assert rows["made-up"]["cases"] == 1
    assert rows["made-up"]["licence"] is None
    assert rows["petshop"]["cases"] == 0
    assert rows["petshop"]["licence"] == "CC-BY-4.0"
    plain = run("list", "--data", small)
    assert plain.stdout.splitlines()[0].split("\t") == ["name", "cases", "modalities", "licence"]


def test_the_data_folder_may_come_from_the_environment(small: Path) -> None:
    result = CliRunner().invoke(app, ["datasets", "list"], env={"AIOPS_DATASETS": str(small)})
    assert result.exit_code == 0
    assert "made-up\t1\t" in result.stdout


@pytest.mark.parametrize("command", ["list", "describe", "verify"])
def test_a_data_folder_that_is_not_there_is_wrong_use_and_said_in_one_line(
    tmp_path: Path, command: str
) -> None:
    result = run(command, "--data", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "--data" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_describe_counts_one_set_and_names_no_culprit(small: Path) -> None:
    found = answer("describe", "made-up", "--data", small)
    assert found["cases"] == 1
    assert found["services"] == 2
    assert found["columns"] == [2, 2]
    assert found["interval"] == {"1 s": 1}
    assert found["modalities"] == {"metrics": 1}
    assert found["fault_types"] == {"cpu": {"cpu": 1}}
    assert found["alert_time"] == {"exact": 1}
    assert found["healthy_windows"]["before_the_alert"] == 1
    assert "db" not in run("describe", "made-up", "--data", small).stdout.replace("\t", " ").split()


def test_describe_goes_on_past_a_case_it_cannot_read_and_says_so(small: Path) -> None:
    (small / "made-up" / "case-1" / "metrics.csv").write_text("")
    found = answer("describe", "made-up", "--data", small)
    assert found["cases"] == 0
    (reason,) = found["unreadable"]
    assert "metrics.csv" in reason


def test_describe_of_an_unknown_set_is_wrong_use(small: Path) -> None:
    result = run("describe", "nope", "--data", small)
    assert result.exit_code == 2
    assert "made-up" in result.stderr


def test_verify_of_an_untouched_folder_succeeds(small: Path) -> None:
    result = run("verify", "--data", small)
    assert result.exit_code == 0
    assert result.stdout.startswith("2 files match, 0 differ, 0 are missing, 0 are not listed")


def test_verify_fails_and_names_what_differs_is_missing_or_is_not_listed(small: Path) -> None:
    case = small / "made-up" / "case-1"
    (case / "metrics.csv").write_text("time\n")
    (case / "case.json").unlink()
    (case / "new.csv").write_text("")
    result = run("verify", "--data", small)
    assert result.exit_code == 1
    assert "differing: made-up/case-1/metrics.csv" in result.stdout
    assert "missing: made-up/case-1/case.json" in result.stdout
    assert "unlisted: made-up/case-1/new.csv" in result.stdout
    as_json = run("verify", "--data", small, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["intact"] is False


def test_fetch_of_a_set_without_a_pinned_checksum_refuses_and_says_where_it_is(
    tmp_path: Path,
) -> None:
    result = run("fetch", "rcd-sockshop", "--data", tmp_path)
    assert result.exit_code == 1
    assert "no pinned checksum; fetch refuses; download by hand from https://" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_fetch_needs_a_name_or_a_manifest_and_not_both(tmp_path: Path) -> None:
    assert run("fetch", "--data", tmp_path).exit_code == 2
    both = run("fetch", "petshop", "--from", tmp_path / "m.toml", "--data", tmp_path)
    assert both.exit_code == 2
    assert "either" in both.stderr


def test_fetch_from_a_manifest_unpacks_and_a_second_time_has_nothing_to_do(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    folder, address = served
    (folder / "set.tar.gz").write_bytes(archive())
    pinned = manifest(tmp_path, f"{address}/set.tar.gz", archive())
    (first,) = answer("fetch", "--from", pinned, "--data", tmp_path / "data")
    assert first["status"] == "fetched"
    assert (tmp_path / "data/fetched/case-1/metrics.csv").read_text() == "time\n"
    (second,) = answer("fetch", "--from", pinned, "--data", tmp_path / "data")
    assert second["status"] == "already there"


def test_fetch_with_a_wrong_checksum_fails_and_leaves_nothing(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    folder, address = served
    (folder / "set.tar.gz").write_bytes(archive())
    pinned = manifest(tmp_path, f"{address}/set.tar.gz", archive(), sha256="0" * 64)
    result = run("fetch", "--from", pinned, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "the download was removed" in result.stderr
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_fetch_of_what_is_not_there_fails_in_one_line(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    pinned = manifest(tmp_path, f"{served[1]}/gone.tar.gz", archive())
    result = run("fetch", "--from", pinned, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert "404" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_fetch_with_a_broken_manifest_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[[fetch]]\nurl = "https://example.org/a"\nsize = 3\n')
    result = run("fetch", "--from", tmp_path / "m.toml", "--data", tmp_path)
    assert result.exit_code == 2
    assert "a checksum is never left out" in result.stderr


def test_the_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, aiops_datasets.commands;"
        "heavy = {'numpy', 'httpx', 'pyarrow', 'scipy', 'statsmodels', 'networkx', 'jinja2'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@needs_data
def test_the_real_data_folder_is_intact_and_every_set_has_a_card() -> None:
    result = run("verify", "--data", DATA)
    assert result.exit_code == 0, result.output
    rows = answer("list", "--data", DATA)
    assert all(row["licence"] for row in rows)


@needs_data
def test_a_real_set_is_described_with_its_source_and_licence() -> None:
    found = answer("describe", "petshop", "--data", DATA)
    assert found["source"].startswith("https://github.com/")
    assert found["licence"] == "CC-BY-4.0"
    assert found["interval"].keys() == {"300 s"}
    assert found["unreadable"] == []
