"""Backup and restore: one file, the same from either engine and for either engine.

A zstd-compressed tar. Each table comes in parts of Arrow, with its columns' kinds, so that an
archive says itself how it is to be read; the last entry lists all parts with their checksums and
the revision of the schema. Tables of other libraries (queue, checkpoints) are not in it.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, MetaData, Table, text

from aiops.errors import InvalidInput, WrongState
from aiops.store.sql import schema
from aiops.store.sql.engine import place, reading
from aiops.store.sql.metadata import UtcDateTime

FORMAT = "aiops.backup/1"
ROWS = 5000
BYTES = 32_000_000
"""A part ends with whichever comes first: memory stays bounded."""
_LIST = "contents.json"
_SEEDED = ("counters",)  # migrations put rows into these, so rows in them say nothing
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: dict[str, tuple[type[Any], Any]] = {  # the first that a column is an instance of
    "json": (sa.JSON, sa.JSON(none_as_null=True)),
    "moment": (sa.DateTime, UtcDateTime()),
    "truth": (sa.Boolean, sa.Boolean()),
    "whole": (sa.Integer, sa.BigInteger()),
    "number": (sa.Float, sa.Double()),
    "bytes": (sa.LargeBinary, sa.LargeBinary()),
    "text": (sa.String, sa.Text()),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table: ``name`` in the archive, and the sha256 of its bytes."""

    name: str
    table: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds.

    Attributes:
        revision: of the schema its tables are of.
        made_at: when, UTC, ISO 8601.
        parts: in an order in which they can be read back.
    """

    revision: str
    made_at: str
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(part.rows for part in self.parts)


def backup(engine: Engine, file: Path, now: datetime) -> Contents:
    """Write all tables as of one moment, while others go on reading and writing.

    The file appears when it is complete, readable by its owner only.

    Raises:
        InvalidInput: the file is there already or cannot be written.
        WrongState: the database has no tables yet.
        StoreUnavailable: see ``engine``.
    """
    if file.exists():
        raise InvalidInput(f"{file} is there already; choose another name")
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with _one_moment(engine) as connection:
            contents = _write(connection, engine, unfinished, now)
        unfinished.replace(file)
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return contents


def restore(engine: Engine, file: Path, *, replace: bool = False) -> Contents:
    """Read an archive back into an empty database, all or nothing, and upgrade it.

    Args:
        replace: drop what the database holds first.

    Raises:
        InvalidInput: the file cannot be read, is damaged, or no archive of ours.
        WrongState: the database is not empty, or the archive is of a later version.
        StoreUnavailable: see ``engine``.
    """
    contents = verify(file)
    revisions = schema.revisions()
    if contents.revision not in revisions:
        raise WrongState(
            f"archive {file}",
            f"is of a later version of aiops (revision {contents.revision}); install that version",
        )
    with schema.alone(engine) as connection:
        if not replace and not _empty(connection):
            raise WrongState(
                f"database {place(engine)}",
                "is not empty; restore into another one, or give --replace to drop what it has",
            )
        _drop(connection)
        schema.apply(connection, contents.revision)
        for table in _tables(connection):
            if table.name in _SEEDED:
                connection.execute(sa.delete(table))
        for part, data in _parts(file, contents):
            _insert(connection, part.table, data)
        _continue_numbering(connection)
        schema.apply(connection, "head")
    return contents


def verify(file: Path) -> Contents:
    """What an archive holds, all checksums compared.

    Raises:
        InvalidInput: the file cannot be read, is damaged, or no archive of ours.
    """
    contents: Contents | None = None
    found: dict[str, str] = {}
    for name, data in _entries(file):
        if name == _LIST:
            contents = _listed(file, data)
        else:
            found[name] = hashlib.sha256(data).hexdigest()
    if contents is None:
        raise InvalidInput(f"{file}: its list of contents is missing; the backup was cut off")
    for part in contents.parts:
        if found.get(part.name) != part.sha256:
            raise InvalidInput(f"{file}: {part.name} is damaged; use another backup")
    return contents


# ---- writing


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:
            yield connection
        return
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield connection


def _write(connection: Connection, engine: Engine, file: Path, now: datetime) -> Contents:
    revision = schema.status_of(connection, engine).at
    if revision is None:
        raise WrongState(f"database {place(engine)}", "has no tables yet; run 'aiops db upgrade'")
    parts: list[Part] = []
    file.touch(mode=0o600)
    with _compressed(file, "wb") as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for table in _tables(connection):
            for number, (rows, data) in enumerate(_dumped(connection, table)):
                name = f"{table.name}/{number:06}.arrow"
                digest = hashlib.sha256(data).hexdigest()
                parts.append(Part(name, table.name, rows, digest))
                _add(tar, name, data, now)
        contents = Contents(revision, now.astimezone(UTC).isoformat(), tuple(parts))
        listed = json.dumps({"format": FORMAT, **asdict(contents)}, indent=1)
        _add(tar, _LIST, listed.encode(), now)
    return contents


def _add(tar: tarfile.TarFile, name: str, data: bytes, now: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = len(data), int(now.timestamp())
    tar.addfile(entry, io.BytesIO(data))


def _dumped(connection: Connection, table: Table) -> Iterator[tuple[int, bytes]]:
    """The rows of a table, in parts of (count, bytes of Arrow)."""
    kinds = {column.name: _kind(column.type) for column in table.columns}
    plain = sa.table(table.name, *[sa.column(name, _KINDS[k][1]) for name, k in kinds.items()])
    order = [plain.c[column.name] for column in table.primary_key.columns]
    options = {"stream_results": True, "max_row_buffer": 1000}
    rows = connection.execute(sa.select(plain).order_by(*order), execution_options=options)
    for some in _in_parts(rows):
        yield len(some), _arrow(kinds, some)


def _in_parts(rows: sa.CursorResult[Any]) -> Iterator[list[Sequence[Any]]]:
    some: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(some) == ROWS or size > BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _arrow(kinds: dict[str, str], rows: list[Sequence[Any]]) -> bytes:
    import pyarrow as pa

    types = {
        "json": pa.binary(),
        "moment": pa.timestamp("us", "UTC"),
        "truth": pa.bool_(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "bytes": pa.binary(),
        "text": pa.binary(),
    }
    fields = [pa.field(name, types[kind], metadata={"kind": kind}) for name, kind in kinds.items()]
    columns = [
        pa.array([_out(kind, row[at]) for row in rows], type=types[kind])
        for at, kind in enumerate(kinds.values())
    ]
    made = pa.BufferOutputStream()
    table = pa.table(columns, schema=pa.schema(fields))
    with pa.ipc.new_stream(made, table.schema) as stream:
        stream.write_table(table)
    data: bytes = made.getvalue().to_pybytes()
    return data


def _kind(found: Any) -> str:
    return next(kind for kind, (type_, _) in _KINDS.items() if isinstance(found, type_))


def _out(kind: str, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case "json":
            return json.dumps(value).encode()
        case "text":
            return str(value).encode("utf-8", "surrogatepass")
        case "moment":
            return (value - _EPOCH) // (_EPOCH.resolution)
        case _:
            return value


# ---- reading


def _entries(file: Path) -> Iterator[tuple[str, bytes]]:
    """Every entry of an archive; raises InvalidInput where it cannot be read."""
    try:
        with _compressed(file, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is not None:
                    yield entry.name, content.read()
    except FileNotFoundError as error:
        raise InvalidInput(f"{file}: no such file") from error
    except (OSError, tarfile.TarError, EOFError) as error:
        raise InvalidInput(f"{file}: no complete backup of aiops; use another one") from error


def _listed(file: Path, data: bytes) -> Contents:
    try:
        found = json.loads(data)
        known = found["format"] == FORMAT
        parts = tuple(Part(**part) for part in found["parts"])
        contents = Contents(found["revision"], found["made_at"], parts)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{file}: its list of contents is damaged") from error
    if not known:
        raise InvalidInput(f"{file}: its format is {found['format']!r}, not {FORMAT!r}")
    return contents


def _parts(file: Path, contents: Contents) -> Iterator[tuple[Part, bytes]]:
    part_of = {part.name: part for part in contents.parts}
    for name, data in _entries(file):
        if name in part_of:
            yield part_of[name], data


def _insert(connection: Connection, name: str, data: bytes) -> None:
    import pyarrow as pa

    with pa.ipc.open_stream(data) as stream:
        found: pa.Table = stream.read_all()
    kinds = {field.name: field.metadata[b"kind"].decode() for field in found.schema}
    into = sa.table(name, *[sa.column(column, _KINDS[k][1]) for column, k in kinds.items()])
    columns = [
        [_in(kind, value) for value in _plain(found.column(name), kind)]
        for name, kind in kinds.items()
    ]
    names = list(kinds)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    if rows:
        connection.execute(sa.insert(into), rows)


def _plain(column: Any, kind: str) -> list[Any]:
    import pyarrow as pa

    values: list[Any] = (column.cast(pa.int64()) if kind == "moment" else column).to_pylist()
    return values


def _in(kind: str, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case "json":
            return json.loads(value)
        case "text":
            return value.decode("utf-8", "surrogatepass")
        case "moment":
            return _EPOCH + value * _EPOCH.resolution
        case _:
            return value


# ---- the database


def _tables(connection: Connection) -> list[Table]:
    """Ours, each after those it refers to."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: schema.ours(name) and name != "alembic_version")
    return [table for table in found.sorted_tables if schema.ours(table.name)]


def _empty(connection: Connection) -> bool:
    return not any(
        connection.scalar(sa.select(sa.exists(sa.select(sa.literal(1)).select_from(table))))
        for table in _tables(connection)
        if table.name not in _SEEDED
    )


def _drop(connection: Connection) -> None:
    for table in reversed(_tables(connection)):
        table.drop(connection)
    connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    if connection.dialect.name == "postgresql":  # what triggers call
        ours = text(
            "SELECT oid::regprocedure FROM pg_proc WHERE starts_with(proname, 'aiops_') "
            "AND pronamespace = current_schema()::regnamespace"
        )
        for function in connection.scalars(ours).all():
            connection.execute(text(f"DROP FUNCTION {function}"))


def _continue_numbering(connection: Connection) -> None:
    """PostgreSQL numbers rows from a counter of its own; let it go on after what was restored."""
    if connection.dialect.name == "sqlite":
        return
    for table in _tables(connection):
        for column in table.primary_key.columns:
            name = {"table": table.name, "column": column.name}
            counter = connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"), name
            )
            highest = connection.scalar(sa.select(sa.func.max(column))) if counter else None
            if highest is not None:
                connection.execute(
                    text("SELECT setval(:counter, :highest)"),
                    {"counter": counter, "highest": highest},
                )


@contextmanager
def _compressed(file: Path, mode: str) -> Iterator[IO[bytes]]:
    import pyarrow as pa

    with file.open(mode) as plain:
        stream = (
            pa.CompressedOutputStream(plain, "zstd")
            if mode == "wb"
            else pa.CompressedInputStream(plain, "zstd")
        )
        with stream:
            yield stream
