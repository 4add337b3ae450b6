"""What we know of each data set: where it comes from and what we may do with it.

The facts stand in ``cards.toml``, which ships in the wheel, and again as the front matter of
``datasets/<name>/README.md``, where people read them; a test keeps the two equal.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from aiops.errors import InvalidData, UnknownName
from aiops_datasets.manifest import RemoteFile, remote_files

OWN = "this repository"
Redistribution = Literal["evaluation only", "allowed"]


@dataclass(frozen=True, slots=True)
class Card:
    """The facts of one data set.

    Attributes:
        name: the folder's name.
        system: what was running when it was recorded.
        repository: where the source lives, a URL; OWN: recorded by us, and bundled with this code.
        commit: the source's commit, as far as its digits are known to us.
        path: where in the repository.
        licence: of the data; "none stated" where the source says nothing.
        redistribution: "evaluation only" where no licence allows handing the files on.
        modalities: what is recorded in at least one case.
        cases: how many there are in the split the project develops on.
        files: how many files that split has.
        sha256: of that split: the sha256 of its lines of SHA256SUMS, sorted by path.
        fetch: pinned files; () where nobody has published a checksum we could check against.
    """

    name: str
    system: str
    repository: str
    commit: str
    path: str
    licence: str
    redistribution: Redistribution
    modalities: tuple[str, ...]
    cases: int
    files: int
    sha256: str
    fetch: tuple[RemoteFile, ...] = ()


@cache
def cards() -> Mapping[str, Card]:
    """Every card, by name, sorted.

    Raises:
        InvalidData: ``cards.toml`` is not as described here.
    """
    source = files("aiops_datasets") / "cards.toml"
    tables = tomllib.loads(source.read_text(encoding="utf-8"))
    return {name: parse(name, tables[name]) for name in sorted(tables)}


def card(name: str) -> Card:
    """The card called ``name``; raises UnknownName."""
    known = cards()
    if name not in known:
        raise UnknownName("data set", name, tuple(known))
    return known[name]


def parse(name: str, table: Mapping[str, Any]) -> Card:
    """The card in one table of ``cards.toml`` or in the front matter of a README.

    Raises:
        InvalidData: a key missing, unknown or of the wrong type.
    """
    place = f"card {name}"
    texts = dict.fromkeys(("system", "repository", "commit", "path", "licence", "sha256"), str)
    wanted = {
        **texts,
        "redistribution": str,
        "modalities": list,
        "cases": int,
        "files": int,
    }
    for key, kind in wanted.items():
        if not isinstance(table.get(key), kind):
            raise InvalidData(place, f"key {key!r} is missing or no {kind.__name__}")
    if strange := sorted(set(table) - set(wanted) - {"fetch"}):
        raise InvalidData(place, f"key {strange[0]!r} is unknown")
    if table["redistribution"] not in get_args(Redistribution):
        raise InvalidData(place, f"redistribution is one of {', '.join(get_args(Redistribution))}")
    return Card(
        name=name,
        redistribution=table["redistribution"],
        modalities=tuple(map(str, table["modalities"])),
        cases=table["cases"],
        files=table["files"],
        fetch=remote_files(place, table),
        **{key: table[key] for key in texts},
    )
