"""From what the user calls a case to its telemetry: a folder, ``dataset:id``, or an opaque id."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aiops import plugins
from aiops.errors import InvalidInput
from aiops.model import CaseData
from aiops.ports.cases import CaseHints, CaseLocation, CaseSource

_FORMS = "give a folder, a CSV file, DATASET:CASE or a case id"


def load(case: str, data_root: Path, hints: CaseHints) -> CaseData:
    """The telemetry and trigger of ``case``, without its answers; raises InvalidInput."""
    source, location = resolve(case, data_root, hints)
    return source.load(location, hints)


def resolve(case: str, data_root: Path, hints: CaseHints) -> tuple[CaseSource, CaseLocation]:
    """Which case is meant, and the layout that reads it.

    Args:
        case: a folder in any layout; ``dataset:id`` with the case's name or its opaque id; or an
            opaque id alone.
        data_root: the folder that holds the data sets.
        hints: a graph file named there must exist.

    Raises:
        InvalidInput: nothing is called so, it is not a case, or it climbs out of ``data_root``.
    """
    if hints.graph is not None and not hints.graph.is_file():
        raise InvalidInput(f"{hints.graph}: no such graph file; give --graph a CSV file")
    sources = tuple(plugins.case_sources())
    path = Path(case)
    for source in sources:
        if source.recognises(path):
            for location in source.locate(path):
                return source, location
    if path.exists():
        raise InvalidInput(_not_a_case(path, sources))
    dataset, colon, name = case.partition(":")
    if not colon and (len(path.parts) > 1 or "/" in case):
        raise InvalidInput(f"{case}: no such folder; {_FORMS}")
    if not data_root.is_dir():
        raise InvalidInput(
            f"no folder {case!r}, and no data folder {data_root} to look for it in; "
            "set --data or AIOPS_DATASETS"
        )
    if colon:
        return _named(dataset, name, data_root, sources)
    return _by_id(case, data_root, sources)


def _not_a_case(path: Path, sources: tuple[CaseSource, ...]) -> str:
    if path.is_file():
        return (
            f"{path}: is no table; give a CSV file of metrics, or a folder with metrics.csv in it"
        )
    if not any(path.iterdir()):
        return f"{path}: the folder is empty; put a metrics.csv into it"
    held = sum(1 for _ in _below(path, sources))
    if held:
        return f"{path}: holds {held} cases; name one as {path.name}:CASE"
    return f"{path}: holds no case in a layout we know; put a metrics.csv into it"


def _named(
    dataset: str, name: str, data_root: Path, sources: tuple[CaseSource, ...]
) -> tuple[CaseSource, CaseLocation]:
    _stays_inside(f"{dataset}:{name}", dataset, name)
    folder = data_root / dataset
    if not dataset or not folder.is_dir():
        known = ", ".join(_folders(data_root)) or "none"
        raise InvalidInput(f"no dataset {dataset!r} in {data_root}; there are: {known}")
    for source, location in _below(folder, sources):
        if name in (location.name, location.id):
            return source, location
    raise InvalidInput(f"dataset {dataset!r} has no case {name!r}; {_FORMS}")


def _stays_inside(case: str, *parts: str) -> None:
    for part in parts:
        pure = PurePosixPath(part.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or "\0" in part:
            raise InvalidInput(f"{case!r} climbs out of the data folder; {_FORMS}")


def _by_id(
    case: str, data_root: Path, sources: tuple[CaseSource, ...]
) -> tuple[CaseSource, CaseLocation]:
    for dataset in _folders(data_root):
        for source, location in _below(data_root / dataset, sources):
            if location.id == case:
                return source, location
    raise InvalidInput(f"no case {case!r} in {data_root}; {_FORMS}")


def _folders(data_root: Path) -> list[str]:
    if not data_root.is_dir():
        return []
    return sorted(folder.name for folder in data_root.iterdir() if folder.is_dir())


def _below(
    folder: Path, sources: tuple[CaseSource, ...]
) -> Iterator[tuple[CaseSource, CaseLocation]]:
    for source in sources:
        for location in source.locate(folder):
            yield source, location
