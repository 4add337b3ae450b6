"""Every recorded case below a data root: for evaluations, which see the answers."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from aiops.errors import InvalidData, UnknownName
from aiops.ports.cases import CaseHints, CaseLocation, CaseSource
from aiops_datasets import answers, public
from aiops_datasets.case import Answers, Case
from aiops_datasets.petshop import PetShopLayout
from aiops_datasets.rcaeval import RcaEvalLayout
from aiops_datasets.rcd import RcdLayout
from aiops_datasets.tvdiag import AlertListLayout
from aiops_datasets.uniform import UniformLayout

NO_HINTS = CaseHints()
Layout = tuple[CaseSource, Callable[[CaseLocation], Answers]]


def datasets(root: Path) -> tuple[str, ...]:
    """The names of the data sets below ``root``, sorted.

    Raises:
        InvalidData: ``root`` is no folder.
    """
    if not root.is_dir():
        raise InvalidData(root, "is not a folder; point --data at the folder of the data sets")
    folders = (
        one for one in root.iterdir() if one.is_dir() and not one.name.startswith(("_", "."))
    )
    return tuple(sorted(folder.name for folder in folders if _layout_of(folder) is not None))


def locations(root: Path, dataset: str) -> Iterator[CaseLocation]:
    """The cases of one data set, in its order.

    Raises:
        UnknownName: ``root`` holds no such data set.
    """
    if dataset not in (names := datasets(root)):
        raise UnknownName("dataset", dataset, names)
    layout = _layout_of(root / dataset)
    if layout is not None:
        yield from layout[0].locate(root / dataset)


def load_case(location: CaseLocation) -> Case:
    """One case with its answers; opens the files that hold them.

    Raises:
        InvalidData: a file that cannot be used, naming file, column or key, and reason.
    """
    for source, read_answers in _layouts():
        if source.recognises(location.path) or location.path.is_file():
            data = source.load(location, NO_HINTS)
            answered = read_answers(location)
            labels, system = _labels(location), _system(location)
            return Case(location.dataset, data, answered, labels, system, location.name)
    raise InvalidData(location.path, "is no recorded case in a layout we know")


def answers_of(location: CaseLocation) -> Answers:
    """The answers of one case alone, without its telemetry; raises as ``load_case``."""
    for source, read_answers in _layouts():
        if source.recognises(location.path) or location.path.is_file():
            return read_answers(location)
    raise InvalidData(location.path, "is no recorded case in a layout we know")


def _labels(location: CaseLocation) -> tuple[str, ...]:
    """Every fault label of the location's set, where each case has a case.json of its own."""
    return _labels_below(location.path.parent) if location.path.is_dir() else ()


def _system(location: CaseLocation) -> str:
    """What was running, without how it was deployed: "shop (Istio)" is the system "shop"."""
    file = location.path / "case.json"
    if not file.is_file():
        return ""
    system = json.loads(file.read_text(encoding="utf-8")).get("system")
    return system.partition(" (")[0] if isinstance(system, str) else ""


@cache
def _labels_below(folder: Path) -> tuple[str, ...]:
    found = set()
    for path in folder.glob("*/case.json"):
        label = json.loads(path.read_text(encoding="utf-8")).get("fault_type")
        if isinstance(label, str):
            found.add(label)
    return tuple(sorted(found))


def _layout_of(folder: Path) -> Layout | None:
    for layout in _layouts():
        if next(layout[0].locate(folder), None) is not None:
            return layout
    return None


@cache
def _layouts() -> tuple[Layout, ...]:
    # The answers are read here anyway: no need for a process of its own for the public half.
    # Alert lists come first: they alone lie many in a file.
    return (
        (AlertListLayout(public.within), answers.read_answers),
        (UniformLayout(public.within), answers.read_answers),
        (RcaEvalLayout(), answers.rcaeval_answers),
        (RcdLayout(), answers.rcd_answers),
        (PetShopLayout(public.within), answers.petshop_answers),
    )
