"""The steps of the Dockerfile that need no network: what it copies gives a wheel that runs.

The lock's own installation, with its hashes, is left to the image's build.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = 10001
"""The image's user."""
PACKAGES = {
    "aiops": "aiops",
    "tools/aiops_tools": "aiops_tools",
    "mcp_servers/aiops_mcp": "aiops_mcp",
    "evals/aiops_evals": "aiops_evals",
    "evals/aiops_lab": "aiops_lab",
    "datasets/aiops_datasets": "aiops_datasets",
    "datasets/lab-demo": "aiops_datasets/_recorded/lab-demo",
    "playbooks": "aiops/_playbooks",
}
NEVER = shutil.ignore_patterns("__pycache__", ".*", "*.pyc")


def copied() -> list[str]:
    """What ``COPY . .`` takes: .dockerignore leaves everything out and then names these."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def pip(*arguments: object) -> None:
    """pip without an index, as the image's build of the wheel."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every user may read."""
    with TemporaryDirectory(prefix="aiops-wheel-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    source = folder / "source"
    source.mkdir()
    for name in copied():
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=NEVER)
        else:
            shutil.copy(origin, source / name)
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    pip("wheel", *options, "--wheel-dir", folder, source)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(folder: Path, wheel: Path) -> Path:
    target = folder / "target"
    pip("install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", target, wheel)
    return target


def test_every_file_of_the_packages_is_in_the_wheel(folder: Path, wheel: Path) -> None:
    there = set(ZipFile(wheel).namelist())
    for place, package in PACKAGES.items():
        origin = folder / "source" / place
        wanted = {
            f"{package}/{path.relative_to(origin)}" for path in origin.rglob("*") if path.is_file()
        }
        assert wanted, place
        assert wanted <= there, sorted(wanted - there)


def test_what_the_service_reads_at_run_time_is_among_them(wheel: Path) -> None:
    there = ZipFile(wheel).namelist()
    for part in (
        "aiops/store/sql/migrations/versions/",
        "aiops/web/static/",
        "aiops/web/templates/",
        "aiops/_playbooks/",
        "aiops_lab/kubernetes/kinds.yaml",
    ):
        assert any(name.startswith(part) for name in there), part


def test_the_command_runs_from_the_wheel_as_a_user_without_rights(
    folder: Path, installed: Path
) -> None:
    python, user = unprivileged()
    home = folder / "home"
    home.mkdir()
    if user is not None:
        os.chown(home, user, user)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, str(installed / "bin" / "aiops"), *arguments],
            cwd=home,
            env={
                "PYTHONPATH": f"{installed}{os.pathsep}{sysconfig.get_path('purelib')}",
                "PATH": os.defpath,
                "HOME": str(home),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    helped = run("--help")
    assert helped.returncode == 0, helped.stderr
    assert "serve" in helped.stdout
    replayed = run("demo", "--once")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert "Root cause found" in replayed.stdout
    upgraded = run("db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert (home / "aiops.db").is_file()


def unprivileged() -> tuple[str, int | None]:
    """A Python of this version, and the user to run it as; None: the one we are.

    Root becomes the image's user, unless no Python of this machine may be run by others.
    """
    if os.geteuid() == 0:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for place in (Path(sys.base_prefix, "bin"), Path("/usr/bin"), Path("/usr/local/bin")):
            found = (place / name).resolve()
            if found.is_file() and all(is_open(one) for one in (found, *found.parents)):
                return str(found), NOBODY
    return sys.executable, None


def is_open(path: Path) -> bool:
    """Whether others may read and enter, or run, it."""
    return path.stat().st_mode & 0o005 == 0o005
