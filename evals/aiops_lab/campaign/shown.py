"""A campaign on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_lab.campaign.plan import kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from aiops_lab.campaign.asked import Asked
    from aiops_lab.campaign.journal import Attempt
    from aiops_lab.campaign.plan import PlannedCase


def plan(asked: Asked) -> Table:
    """Every case, in the order in which they are recorded."""
    from rich.table import Table

    table = Table("case", "fault", "intensity", "settings", "cores", box=None)
    for turn in asked.turns:
        orders = turn.case.orders
        table.add_row(
            turn.case.id,
            "\n".join(order.aim for order in orders) or "healthy",
            "\n".join(f"{order.intensity:g}" for order in orders),
            "\n".join(" ".join(order.settings) for order in orders),
            f"{turn.cores:.2f}" if turn.cores else "",
        )
    return table


def begin(asked: Asked) -> Iterator[str]:
    """What is going to be recorded."""
    cases, limits, phases = asked.cases, asked.limits, asked.setting.phases
    healthy = sum(not case.orders for case in cases)
    doubles = sum(len(case.orders) > 1 for case in cases)
    yield (
        f"{asked.topology.name}, seed {asked.campaign['seed']}: {len(cases)} cases, "
        f"{healthy} healthy, {doubles} with two faults, {len(kinds_of(cases))} kinds of fault"
    )
    yield (
        f"{phases.baseline_s:g} s before, {phases.fault_s:g} s with and {phases.recovery_s:g} s "
        f"after the fault; {limits.labs} at once, of which faults burn {limits.cores:g} cores at "
        f"most; about {asked.expected_s / 60:.0f} min"
    )


def attempt(one: Attempt) -> str:
    """One line as it ends."""
    cpu = "" if one.busiest_cpu is None else f", CPU up to {one.busiest_cpu:.0%}"
    again = "" if one.number == 1 else f", attempt {one.number}"
    why = f": {one.reason}" if one.reason else ""
    return f"{one.case}  {one.outcome}{again} in {one.seconds:.0f} s{cpu}{why}"


def end(asked: Asked, attempts: tuple[Attempt, ...]) -> Iterator[str]:
    """What was recorded, what was not and why, and what to do with it."""
    last = {one.case: one for one in attempts}
    recorded = [case for case in asked.cases if _recorded(case, last)]
    given_up = [
        one
        for one in last.values()
        if one.outcome != "recorded" and one.number >= asked.limits.attempts
    ]
    repeated = sum(one.number > 1 for one in last.values())
    size = sum(path.stat().st_size for path in asked.out.glob("*/*") if path.is_file()) / 1e6
    yield (
        f"{len(recorded)} of {len(asked.cases)} cases are recorded in {asked.out} ({size:.1f} MB): "
        f"{sum(not case.orders for case in recorded)} healthy, "
        f"{len(kinds_of(recorded))} kinds of fault; {repeated} needed more than one attempt"
    )
    for one in given_up:
        yield f"not valid after {one.number} attempts: {one.case} ({one.reason})"
    if given_up:
        yield "the same command with --retry tries these again"
    if len(recorded) + len(given_up) < len(asked.cases):
        yield "the same command records the others"
    if recorded:
        yield "evaluate it with:"
        yield f"    aiops eval rca --data {asked.out.parent} --datasets {asked.out.name} --misses"


def whole(asked: Asked, attempts: tuple[Attempt, ...]) -> bool:
    """Whether no case was given up."""
    last = {one.case: one for one in attempts}
    return all(
        _recorded(case, last) or last[case.id].number < asked.limits.attempts
        for case in asked.cases
        if case.id in last
    )


def _recorded(case: PlannedCase, last: dict[str, Attempt]) -> bool:
    return case.id in last and last[case.id].outcome == "recorded"
