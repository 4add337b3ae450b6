"""The hypotheses behind a ranking, for and against, as text: ``aiops rca --explain``."""

from collections.abc import Iterator, Sequence

from aiops.analyze.fusion import Weighed
from aiops.analyze.wording import number, percent, plain

EACH = 4
"""Hypotheses an entity is shown with."""


def render(weighed: Sequence[Weighed], *, top: int) -> str:
    """The ``top`` entities, strongest first, each with its strongest hypotheses.

    Signs below the least that matters are counted, not shown. One hypothesis is three to five
    lines: what is suspected and how large its sign is beside the least that matters, what it
    weighs and why, the evidence, and what would refute it.
    """
    suspects: dict[tuple[str, ...], list[Weighed]] = {}
    for one in weighed:
        suspects.setdefault(one.key, []).append(one)
    if not suspects:
        return "No reader raised any hypothesis.\n"
    lines: list[str] = []
    for place, own in enumerate(list(suspects.values())[:top], start=1):
        entity = own[0].hypothesis.entity
        lines.append(f"{place}. {plain(entity.name)} ({entity.kind}), {number(own[0].score)} nats")
        telling = [o for o in own if o is own[0] or o.hypothesis.size >= o.hypothesis.floor][:EACH]
        for one in telling:
            lines.extend(_lines(one))
        if len(own) > len(telling):
            lines.append(f"   and {len(own) - len(telling)} weaker or below what matters")
        lines.append("")
    return "\n".join(lines)


def _lines(one: Weighed) -> Iterator[str]:
    hypothesis = one.hypothesis
    what = plain(hypothesis.kind.replace("_", " "))
    yield f"   {one.modality}: {what} ({hypothesis.fault.value})"
    weight = (
        f"{number(hypothesis.size)} {plain(hypothesis.unit)}, least that matters "
        f"{number(hypothesis.floor)}; strength {number(hypothesis.strength)}, "
        f"weighs {number(one.score)}"
    )
    if one.corroborated_by:
        weight += f"; backed by {', '.join(one.corroborated_by)}"
    if one.unexplained > 0:
        weight += f"; leaves {percent(one.unexplained)} of the trouble unexplained"
    yield f"      {weight}"
    for item in hypothesis.support:
        yield f"      for: {plain(item.claim)}"
    for item in hypothesis.against:
        yield f"      against: {plain(item.claim)}"
    if hypothesis.refuted_by:
        yield f"      refuted by: {plain(hypothesis.refuted_by)}"
