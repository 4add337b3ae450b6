"""What the tables of incidents search by: texts any sender may have written, made safe to keep.

Each row carries its whole object as JSON in ``body``; the other columns are copies to search by.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Dialect, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")
AT_ONCE = 1000
"""Values in one IN list: far below what either engine takes."""
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


class PlainText(TypeDecorator[str]):
    """Text that both engines take and put into one order: by code point, whatever the locale.

    NUL and halves of characters, which PostgreSQL refuses, become U+FFFD. Nothing depends on
    them: bodies keep them escaped, and what senders name is searched by its digest.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text, on PostgreSQL with the collation of bytes."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(Text(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What can be kept of it."""
        del dialect
        return None if value is None else _UNKEEPABLE.sub("\ufffd", value)


def digest(*names: str) -> str:
    """A key of 32 hex digits for names of any length, in any characters."""
    joined = "\0".join(f"{len(name)}:{name}" for name in names)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def parts(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists short enough for one statement."""
    rest = iter(values)
    while part := list(islice(rest, AT_ONCE)):
        yield part


def insert_new(table: Table, dialect: Dialect, key: str) -> Any:
    """An INSERT that passes over rows whose key is there."""
    return _insert(table, dialect).on_conflict_do_nothing(index_elements=[key])


def insert_or_replace(table: Table, dialect: Dialect, key: str) -> Any:
    """An INSERT that takes the place of the row with its key."""
    statement = _insert(table, dialect)
    others = {column.name: statement.excluded[column.name] for column in table.c}
    del others[key]
    return statement.on_conflict_do_update(index_elements=[key], set_=others)


def _insert(table: Table, dialect: Dialect) -> Any:
    return (sqlite if dialect.name == "sqlite" else postgresql).insert(table)
