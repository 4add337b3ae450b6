"""Tables of numbers as other tools write them: what separates the cells, what a cell says.

Spreadsheets, Grafana and CloudWatch export with other separators, encodings, decimal commas, units
in the cells and lines before the header. All of it can be told from the first lines.
"""

import csv
import gzip
import io
import math
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from aiops.errors import InvalidData

MOST_BYTES = 256 << 20
"""Text that is read at once; files of our own layout are streamed and may be larger."""
SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 20  # lines that tell the separator
_NOTHING = frozenset(
    {"", "-", "--", "?", ".", "nan", "null", "none", "nil", "<nil>", "n/a", "n.a.", "na", "#n/a"}
    | {"\\n", "undefined", "no data", "#value!", "#div/0!"}
)
_WORDS = {"true": 1.0, "false": 0.0, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(e[-+]?\d+)?", re.IGNORECASE)
_WITH_UNIT = re.compile(r"([-+]?[\d.]+(?:e[-+]?\d+)?)\s*([^\d\s.+-]\S*)", re.IGNORECASE)
# To the base unit, since a tool that adds units changes them from cell to cell. A bare "m" is a
# thousandth, as Kubernetes writes it.
_UNITS = dict[str, float](
    [
        *(("%", 1.0), ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3)),
        *(("s", 1.0), ("sec", 1.0), ("min", 60.0), ("mins", 60.0), ("h", 3600.0)),
        *(("n", 1e-9), ("m", 1e-3), ("k", 1e3), ("g", 1e9), ("mil", 1e6), ("bil", 1e9)),
        *(("b", 1.0), ("bytes", 1.0), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12)),
        *(("kib", 2.0**10), ("mib", 2.0**20), ("gib", 2.0**30), ("tib", 2.0**40)),
        *(("ki", 2.0**10), ("mi", 2.0**20), ("gi", 2.0**30), ("ti", 2.0**40)),
        *((f"{unit}/s", size) for unit, size in (("b", 1.0), ("kb", 1e3), ("mb", 1e6))),
        *((f"{unit}/s", size) for unit, size in (("kib", 2.0**10), ("mib", 2.0**20))),
        *((unit, 1.0) for unit in ("req/s", "reqps", "rps", "ops/s", "ops", "c/s", "cores")),
    ]
)
_MILLION = "M"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a file, as text.

    Attributes:
        header: names of the columns, stripped.
        rows: as many cells each as the header; blank rows and one cut off at the end left out.
        decimal_comma: whether 1,5 is one and a half.
        notes: what was noticed.
    """

    header: tuple[str, ...]
    rows: list[list[str]]
    decimal_comma: bool
    notes: tuple[str, ...]


def read_sheet(path: Path) -> Sheet:
    """The cells of ``path``, plain or gzip.

    Raises:
        InvalidData: unreadable, too large, empty, or rows of other lengths than the header's.
    """
    text, notes = _decoded(path)
    lines = text.splitlines(keepends=True)
    skipped = _before_the_header(lines)
    separator = separator_of([line.rstrip("\r\n") for line in lines[skipped:]])
    try:
        cells = list(csv.reader(io.StringIO("".join(lines[skipped:])), delimiter=separator))
    except csv.Error as error:
        raise InvalidData(path, f"is not a table ({error})") from error
    table = [row for row in cells if any(cell.strip() for cell in row)]
    if not table:
        raise InvalidData(path, "is empty")
    header, rows = tuple(name.strip() for name in table[0]), table[1:]
    if rows and len(rows[-1]) < len(header):
        rows.pop()
        notes.append("the last row is cut off and left out")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            reason = f"has {len(row)} of {len(header)} fields"
            raise InvalidData(path, reason, row=number)
    comma = separator != "," and _has_decimal_commas(rows)
    if separator != ",":
        shown = {"\t": "tabs"}.get(separator, f"{separator!r}")
        notes.append(f"cells are separated by {shown}{', with decimal commas' if comma else ''}")
    return Sheet(header, rows, comma, tuple(notes))


def separator_of(lines: list[str]) -> str:
    """What splits the first lines into the most cells, the same number in each."""

    def cells(separator: str) -> int:
        counts = [len(row) for row in csv.reader(lines[:_LOOKED_AT], delimiter=separator) if row]
        usual = Counter(counts).most_common(1)[0][0] if counts else 0
        return usual if counts and counts[0] == usual else 0

    return max(SEPARATORS, key=cells)


def number(cell: str, *, decimal_comma: bool = False) -> float:
    """The number in ``cell``, in the base unit where it names one; NaN where it holds nothing.

    Raises:
        ValueError: it holds something else.
    """
    text = cell.strip()
    lowered = text.lower()
    if lowered in _NOTHING:
        return math.nan
    if lowered in _WORDS:
        return _WORDS[lowered]
    if decimal_comma:
        text = text.replace(".", "").replace(",", ".") if "," in text else text
    elif _GROUPED.fullmatch(text.split()[0]):
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        measured = _WITH_UNIT.fullmatch(text)
        unit = measured[2] if measured else ""
        factor = 1e6 if unit == _MILLION else _UNITS.get(unit.lower())
        if measured is None or factor is None:
            raise
        return float(measured[1]) * factor


def is_number(cell: str, *, decimal_comma: bool = False) -> bool:
    """Whether ``number`` reads it."""
    try:
        number(cell, decimal_comma=decimal_comma)
    except ValueError:
        return False
    return True


def _decoded(path: Path) -> tuple[str, list[str]]:
    try:
        opening = gzip.open if path.suffix == ".gz" else open
        with opening(path, "rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidData(path, "is a truncated or broken gzip file; copy it again") from error
    except OSError as error:
        raise InvalidData(path, f"cannot be read ({error.strerror})") from error
    if len(raw) > MOST_BYTES:
        reason = "is too large for this layout; write it as time,<service>_<metric>,... rows"
        raise InvalidData(path, reason)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), ["text is UTF-16"]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        if b"\0" in raw:
            raise InvalidData(path, "is not text") from None
        return raw.decode("cp1252", errors="replace"), ["text is not UTF-8; read as Windows-1252"]


def _before_the_header(lines: list[str]) -> int:
    """Lines of comment, blank ones, and the "sep=;" that spreadsheets understand."""
    for number_, line in enumerate(lines):
        bare = line.strip().lower()
        if bare and not bare.startswith(("#", "sep=", '"sep=')):
            return number_
    return len(lines)


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    cells = [cell.strip() for row in rows[:_LOOKED_AT] for cell in row]
    commas = sum(1 for cell in cells if _DECIMAL_COMMA.fullmatch(cell))
    points = sum(1 for cell in cells if "." in cell and is_number(cell) and "," not in cell)
    return commas > points
