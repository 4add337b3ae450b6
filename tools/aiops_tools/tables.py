"""Tables of text for whoever reads a tool's answer: few characters, one row a line."""

import math
from collections.abc import Iterable, Sequence

from aiops.analyze.wording import plain

LONGEST_CELL = 300


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under their heads; "" where there are none. Texts from outside are made plain."""
    lines = [" | ".join(cell(each) for each in row) for row in rows]
    return "\n".join([" | ".join(heads), *lines]) if lines else ""


def cell(value: object) -> str:
    """One value on one line; "-" for nothing."""
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = plain(str(value)).replace(" | ", " / ")
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def rounded(value: float) -> float | None:
    """Four significant digits; None for what is no number."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def paragraphs(*parts: str) -> str:
    """Those that say something, one under the other."""
    return "\n".join(part for part in parts if part)
