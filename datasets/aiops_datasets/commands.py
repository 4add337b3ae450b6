"""``aiops datasets list|describe|verify|fetch``."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aiops_datasets.cards import Card
    from aiops_datasets.describe import Description
    from aiops_datasets.manifest import RemoteFile

commands = typer.Typer(
    help="The recorded incidents that prove what the rankings are worth.", no_args_is_help=True
)

Data = Annotated[
    Path,
    typer.Option("--data", envvar="AIOPS_DATASETS", help="Folder that holds the data sets."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead.")]
DATA = Path("../shared/datasets")


def register(app: typer.Typer) -> None:
    """Add ``datasets`` to the ``aiops`` command."""
    app.add_typer(commands, name="datasets")


@commands.command("list")
def list_(data: Data = DATA, as_json: Json = False) -> None:
    """The data sets we know, came with or find in the data folder: cases, modalities, licence."""
    from aiops_datasets import bundled, catalog
    from aiops_datasets.cards import cards

    with _errors():
        places = {bundled.DEMO: bundled.root(), **dict.fromkeys(_sets(data), data)}
        here = {
            name: sum(1 for _ in catalog.locations(place, name)) for name, place in places.items()
        }
    known = cards()
    rows = []
    for name in sorted({*here, *known}):
        card = known.get(name)
        rows.append(
            {
                "name": name,
                "cases": here.get(name, 0),
                "modalities": list(card.modalities) if card else [],
                "licence": card.licence if card else None,
                "redistribution": card.redistribution if card else None,
                "source": _source(card) if card else None,
            }
        )
    if as_json:
        return _print_json(rows)
    shown = ("name", "cases", "modalities", "licence")
    return _print_table(shown, [[_cell(row[key]) for key in shown] for row in rows])


@commands.command()
def describe(
    name: Annotated[str | None, typer.Argument(help="One data set; all without it.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Load every case and count: services, columns, intervals, modalities, fault types.

    Reads the answers and prints aggregates only.
    """
    from aiops_datasets.cards import cards
    from aiops_datasets.describe import describe as counted

    found = []
    with _errors():
        for dataset in [name] if name else _sets(data):
            with _progress(dataset) as on_case:
                found.append(counted(_place(dataset, data), dataset, on_case=on_case))
    facts = [_facts(description, cards().get(description.dataset)) for description in found]
    if as_json:
        return _print_json(facts[0] if name else facts)
    if name:
        return _print_table(
            ("", name), [[key.replace("_", " "), _cell(value)] for key, value in facts[0].items()]
        )
    shown = [key for key in facts[0] if key not in ("unreadable", "redistribution", "source")]
    for row in facts:  # the sets' own labels would not fit; describe NAME prints them
        row["fault_types"] = {kind: sum(own.values()) for kind, own in row["fault_types"].items()}
    return _print_table(shown, [[_cell(row[key]) for key in shown] for row in facts])


@commands.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One data set; all without it.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Check every file against SHA256SUMS; exit 1 if one differs or is missing."""
    from aiops_datasets.cards import cards
    from aiops_datasets.verify import verify as verified

    with _errors(), _progress("checking") as on_file:
        found = verified(data, name, on_file=on_file)
    pinned = {card.sha256: card.name for card in cards().values()}
    same = [dataset for dataset, digest in found.digests if pinned.get(digest) == dataset]
    if as_json:
        _print_json(
            {
                "intact": found.intact,
                "matching": found.matching,
                "differing": found.differing,
                "missing": found.missing,
                "unlisted": found.unlisted,
                "digests": dict(found.digests),
                "as_on_card": same,
            }
        )
    else:
        for label in ("differing", "missing", "unlisted"):
            for path in getattr(found, label):
                typer.echo(f"{label}: {path}")
        typer.echo(
            f"{found.matching} files match, {len(found.differing)} differ, "
            f"{len(found.missing)} are missing, {len(found.unlisted)} are not listed; "
            f"{len(same)} of {len(found.digests)} sets are listed as on their card"
        )
    if not found.intact:
        raise typer.Exit(1)


@commands.command()
def fetch(
    name: Annotated[str | None, typer.Argument(help="A data set with pinned files.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--from", help="A manifest: TOML, JSON, or a card's front matter."),
    ] = None,
    data: Data = DATA,
    limit_s: Annotated[
        float, typer.Option("--limit-s", min=1, help="Give up after so many seconds in all.")
    ] = 3600.0,
    as_json: Json = False,
) -> None:
    """Download pinned files, resuming what was cut; nothing is used before its sha256 is right."""
    from aiops.errors import InvalidInput
    from aiops_datasets.fetch import fetch as fetched

    with _errors():
        if (name is None) == (manifest is None):
            raise InvalidInput("give either the name of a data set or --from MANIFEST")
        files = _pinned(name) if name else _from(manifest)
        with _transfers(files) as on_progress:
            done = fetched(files, data, limit_s=limit_s, on_progress=on_progress)
    if as_json:
        _print_json(
            [{"url": one.file.url, "path": str(one.path), "status": one.status} for one in done]
        )
    else:
        for one in done:
            again = "; remove it to fetch it again" if one.status == "already there" else ""
            typer.echo(f"{one.status}: {one.path}{again}")


def _from(manifest: Path | None) -> "tuple[RemoteFile, ...]":
    from aiops_datasets.manifest import read_manifest

    return read_manifest(manifest) if manifest else ()


def _pinned(name: str) -> "tuple[RemoteFile, ...]":
    from aiops.errors import AiopsError
    from aiops_datasets.cards import card

    known = card(name)
    if not known.fetch:
        raise AiopsError(
            f"{name} has no pinned checksum; fetch refuses; download by hand from {_source(known)} "
            "and use verify"
        )
    return known.fetch


def _sets(data: Path) -> tuple[str, ...]:
    from aiops.errors import InvalidData
    from aiops_datasets import catalog

    found = catalog.datasets(data)
    if not found:
        raise InvalidData(data, "holds no data set; point --data at the folder that does")
    return found


def _place(name: str, data: Path) -> Path:
    """The folder that holds the set ``name``: ``data``, but for what came with the code."""
    from aiops_datasets import bundled

    return bundled.root() if name == bundled.DEMO and not (data / name).is_dir() else data


def _source(card: "Card") -> str:
    from aiops_datasets.cards import OWN

    if card.repository == OWN:
        return f"recorded by us at commit {card.commit}; in {card.path} of a checkout"
    return f"{card.repository}/tree/{card.commit}"


def _facts(found: "Description", card: "Card | None") -> dict[str, Any]:
    """What ``describe`` prints of one set, in its order."""
    return {
        "name": found.dataset,
        "cases": found.cases,
        "unreadable": list(found.unreadable),
        "services": found.services,
        "columns": list(found.columns) if found.columns else None,
        "interval": {f"{seconds:g} s": cases for seconds, cases in found.intervals_s.items()},
        "modalities": found.modalities,
        "fault_types": found.fault_types,
        "alert_time": found.alert_times,
        "healthy_windows": {
            "before_the_alert": found.baselines,
            "apart_from_the_cases": found.references,
        },
        "licence": card.licence if card else None,
        "redistribution": card.redistribution if card else None,
        "source": _source(card) if card else None,
    }


def _cell(value: Any) -> str:
    """A value of the JSON for a reader: "metrics 30, traces 7", "cpu 16 (hog 10, leak 6)"."""
    if value is None or value == [] or value == {}:
        return "-"
    match value:
        case [int(), int()]:
            low, high = value
            return str(low) if low == high else f"{low}-{high}"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(
                f"{key} {sum(inner.values())} ({_cell(inner)})"
                if isinstance(inner, dict)
                else f"{str(key).replace('_', ' ')} {inner}"
                for key, inner in value.items()
            )
        case _:
            return str(value)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; tab-separated lines in a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        for row in [header, *rows]:
            typer.echo("\t".join(row))
        return
    table = Table(*(title.replace("_", " ") for title in header))
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


@contextmanager
def _errors() -> Iterator[None]:
    """What was raised on purpose, as one line on stderr: exit 2 for wrong use, 1 for the rest."""
    from aiops.errors import AiopsError, InvalidInput

    try:
        yield
    except AiopsError as error:
        typer.echo(f"aiops datasets: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, InvalidInput) else 1) from error


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def _transfers(
    files: "Sequence[RemoteFile]",
) -> "Iterator[Callable[[RemoteFile, int], None]]":
    """One bar of bytes a file, on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(
        *columns, TransferSpeedColumn(), console=console, disable=not console.is_terminal
    ) as bars:
        tasks = {file: bars.add_task(file.filename, total=file.size) for file in files}
        yield lambda file, received: bars.update(tasks[file], completed=received)
