"""Databases for whoever needs one: SQLite files, and a real PostgreSQL started for the run."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import canary
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

# A busy machine takes its time; what must be fast is measured by the benchmarks.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Run in the background, where a shell has Ctrl-C ignored: the programs we start must hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One more than there are cores: much of what takes long waits for processes and clocks.

    Says nothing where ``PYTEST_XDIST_AUTO_NUM_WORKERS`` does.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _a_log_that_a_test_sets_up_ends_with_it() -> Iterator[None]:
    """Commands run in our process write to a stream that is closed after their test."""
    yield
    structlog = sys.modules.get("structlog")
    if structlog is not None and structlog.is_configured():
        structlog.reset_defaults()


_LEAKED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session", autouse=True)
def _no_secret_left_behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Once a process's last test is over: nowhere is a value of a Secret, see ``canary``."""
    yield
    folder = tmp_path_factory.getbasetemp()
    found = [str(path.relative_to(folder)) for path in canary.leaks(folder)]
    found += request.config.stash.get(_LEAKED, [])
    assert not found, f"a Secret's value is in: {', '.join(found)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if any(canary.holds(said.encode(errors="replace")) for _, said in report.sections):
        item.config.stash.setdefault(_LEAKED, []).append(f"what {item.nodeid} printed or logged")
    return report


_VERSIONS = (17, 16, 15)
_NAMES = itertools.count(1)
_ROOM_BYTES = 2 * 1024**3


class PostgresServer:
    """A server of its own folder and port on loopback, which a test may stop and start again."""

    def __init__(self, programs: Path, *settings: str, below: Path | None = None) -> None:
        self._programs, self._settings = programs, settings
        self.folder = Path(tempfile.mkdtemp(prefix="aiops-postgres-", dir=below))
        self.port = _free_port()
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:  # it refuses to run as root
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-U", "aiops", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://aiops@127.0.0.1:{self.port}/{database}"

    @property
    def running(self) -> bool:
        return (self.folder / "postmaster.pid").exists()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        chosen = "".join(f" -c {setting}" for setting in self._settings)
        log = self.folder / "server.log"
        self._run("pg_ctl", "-w", "-l", str(log), "-o", options + chosen, "start")

    def stop(self, mode: str = "fast") -> None:
        """``immediate`` is what a power cut looks like."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def close(self) -> None:
        pid = self.folder / "postmaster.pid"
        if pid.exists():
            os.kill(int(pid.read_text().split()[0]), signal.SIGQUIT)
            for _ in range(100):
                if not pid.exists():
                    break
                time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, database: str, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, "-D", str(self.folder), *arguments],
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            check=False,
            **self._user,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, f"{program}: {done.stdout!r}"


def _in_memory() -> Path | None:
    """A folder in memory with room for a server: a new database there takes a quarter of the time.

    None where there is none: a container's shared memory may be too small, and is not everywhere.
    """
    folder = Path("/dev/shm")  # noqa: S108  a new folder of its own is made below it
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < _ROOM_BYTES:
        return None
    return folder


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _programs() -> Path:
    """Where PostgreSQL's programs are; skips where there are none, but never in CI."""
    packaged = [f"/usr/lib/postgresql/{version}/bin" for version in _VERSIONS]
    for folder in (*packaged, *os.environ.get("PATH", "").split(os.pathsep)):
        if folder and (Path(folder) / "initdb").exists():
            return Path(folder)
    if os.environ.get("CI") == "true":
        pytest.fail("no initdb on this machine: install the package postgresql")
    pytest.skip("no initdb on this machine: install the package postgresql")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for this process's tests; its template holds the current schema.

    It does not touch the disk: bench tests start their own with ``own_postgres``.
    """
    from aiops.store.sql.engine import open_engine
    from aiops.store.sql.schema import upgrade

    chosen = ("fsync=off", "max_connections=200", "max_wal_size=64MB")
    server = PostgresServer(_programs(), *chosen, below=_in_memory())
    try:
        server.ask("postgres", "CREATE DATABASE current")
        engine = open_engine(server.url("current"))
        upgrade(engine)
        engine.dispose()
        yield server
    finally:
        server.close()


@pytest.fixture
def own_postgres() -> Iterator[Callable[..., PostgresServer]]:
    """Starts servers that belong to one test, which may stop and restart them; empty databases."""
    started: list[PostgresServer] = []

    def start(*settings: str) -> PostgresServer:
        started.append(PostgresServer(_programs(), *settings))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A new database without any table."""
    yield from _database(postgres_server, "template0")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A new database with the current schema and nothing in it."""
    yield from _database(postgres_server, "current")


def _database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(_NAMES)}"
    server.ask("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.ask("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from aiops.store.sql.engine import open_engine
    from aiops.store.sql.schema import upgrade

    file = tmp_path_factory.mktemp("sqlite") / "current.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()  # the last connection writes the log into the file
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """A new file with the current schema and nothing in it."""
    file = tmp_path / "aiops.db"
    shutil.copyfile(_sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new database with the current schema, once on each engine."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def engine(database_url: str) -> "Iterator[Engine]":
    """Opened on a new database with the current schema, once on each engine."""
    yield from _opened(database_url)


@pytest.fixture
def engine_on(request: pytest.FixtureRequest) -> "Iterator[Callable[[str], Engine]]":
    """Opens a new database with the current schema on "sqlite" or "postgresql", as asked."""
    with contextlib.ExitStack() as stack:

        def opened(name: str) -> "Engine":
            fixture = "sqlite_url" if name == "sqlite" else "postgres_url"
            opening = contextlib.contextmanager(_opened)
            return stack.enter_context(opening(request.getfixturevalue(fixture)))

        yield opened


@pytest.fixture
def empty_engine(empty_database_url: str) -> "Iterator[Engine]":
    """Opened on a new database without any table, once on each engine."""
    yield from _opened(empty_database_url)


def _opened(url: str) -> "Iterator[Engine]":
    from aiops.store.sql.engine import open_engine

    opened = open_engine(url)
    yield opened
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database without any table, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url
