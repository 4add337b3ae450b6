"""Every recorded case below a data root: for evaluations, which see the answers."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from aiops.errors import InvalidData, UnknownName
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import public
from aiops_datasets.answers import read_answers
from aiops_datasets.case import Case
from aiops_datasets.folder import first_of
from aiops_datasets.tvdiag import AlertListLayout
from aiops_datasets.uniform import UniformLayout

NO_HINTS = CaseHints()


def datasets(root: Path) -> tuple[str, ...]:
    """The names of the data sets below ``root``, sorted.

    Raises:
        InvalidData: ``root`` is no folder.
    """
    if not root.is_dir():
        raise InvalidData(root, "is not a folder; point --data at the folder of the data sets")
    return tuple(
        sorted(
            folder.name
            for folder in root.iterdir()
            if folder.is_dir()
            and not folder.name.startswith(("_", "."))
            and (
                first_of(folder, "cases.jsonl.gz", "cases.jsonl") or any(folder.glob("*/case.json"))
            )
        )
    )


def locations(root: Path, dataset: str) -> Iterator[CaseLocation]:
    """The cases of one data set, in the order of their names.

    Raises:
        UnknownName: ``root`` holds no such data set.
    """
    if dataset not in datasets(root):
        raise UnknownName("dataset", dataset, datasets(root))
    folder = root / dataset
    for layout in _layouts():
        yield from layout.locate(folder)


def load_case(location: CaseLocation) -> Case:
    """One case with its answers; opens the files that hold them.

    Raises:
        InvalidData: a file that cannot be used, naming file, column or key, and reason.
    """
    uniform, alert_lists = _layouts()
    layout = alert_lists if location.path.is_file() else uniform
    return Case(location.dataset, layout.load(location, NO_HINTS), read_answers(location))


@cache
def _layouts() -> tuple[UniformLayout, AlertListLayout]:
    # The answers are read here anyway: no need for a process of its own for the public half.
    return UniformLayout(public.within), AlertListLayout(public.within)
