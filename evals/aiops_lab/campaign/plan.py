"""Which cases a campaign has: a pure function of the system, a size and a seed."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops.errors import InvalidInput
from aiops_lab.faults.catalogue import KINDS
from aiops_lab.faults.fault import Choice
from aiops_lab.faults.network import ALL
from aiops_lab.faults.orders import Order, read_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops_lab.faults.fault import Fault
    from aiops_lab.faults.ports import Ground

HEALTHY_SHARE = 0.2


class CannotPlan(InvalidInput):
    """No campaign of this size can be drawn on this system."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        cases: in all; a fifth of them are healthy controls.
        doubles: how many of the others have two faults at once.
        mild, severe: the range of intensities, from 0 to 1; evenly spread over the campaign.
    """

    cases: int
    seed: int
    doubles: int = 0
    mild: float = 0.3
    severe: float = 1.0

    @property
    def healthy(self) -> int:
        """How many cases are healthy controls."""
        return round(HEALTHY_SHARE * self.cases)

    def check(self) -> None:
        """Raises CannotPlan where no campaign is like this."""
        if self.cases < 1:
            raise CannotPlan(f"a campaign of {self.cases} cases is none; ask for 1 or more")
        if not 0 <= self.doubles <= self.cases - self.healthy:
            faulty = self.cases - self.healthy
            raise CannotPlan(
                f"{self.doubles} double faults do not fit: of {self.cases} cases {faulty} "
                "have a fault"
            )
        if not 0 <= self.mild <= self.severe <= 1:
            raise CannotPlan(
                f"intensities {self.mild:g}:{self.severe:g} cannot be used; give MILD:SEVERE, "
                "from 0 to 1, such as 0.3:1"
            )


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One case.

    Attributes:
        id: says nothing of what it holds.
        orders: () for a healthy control.
        seed: of everything drawn while it runs.
    """

    id: str
    orders: tuple[Order, ...]
    seed: int


def draw(ground: Ground, wish: Wish) -> tuple[PlannedCase, ...]:
    """The cases of a campaign, in the order in which they are recorded.

    Kinds come up in rounds, each kind once a round, so that none repeats before all had their
    turn; a kind's targets are those that it and the others hit least so far; intensities are a
    Latin hypercube's one column: the range is cut into as many strata as there are orders, and
    each gets one. No two orders break the same in the same way.

    Raises:
        CannotPlan: there are not so many different faults, or the wish is none.
    """
    wish.check()
    chance = random.Random(wish.seed)  # noqa: S311 - a plan, not a secret
    faulty = wish.cases - wish.healthy
    orders = _Orders(ground, wish, chance).draw(faulty + wish.doubles)
    sets: list[tuple[Order, ...]] = [(order,) for order in orders[:faulty]]
    for second in orders[faulty:]:
        i = next((i for i, first in enumerate(sets) if _combine(first, second)), None)
        if i is None:
            raise CannotPlan(f"{wish.doubles} double faults cannot be drawn here; ask for fewer")
        sets.append((*sets.pop(i), second))
    sets += [()] * wish.healthy
    chance.shuffle(sets)
    width = max(3, len(str(wish.cases)))
    return tuple(
        PlannedCase(f"case-{number:0{width}}", own, chance.getrandbits(31))
        for number, own in enumerate(sets, start=1)
    )


def _combine(first: tuple[Order, ...], second: Order) -> bool:
    """Whether a case may have both: other kinds at other places, and never three."""
    if len(first) != 1:
        return False
    target, _, kind = first[0].aim.rpartition("/")
    other_target, _, other_kind = second.aim.rpartition("/")
    return target != other_target and kind != other_kind


@dataclass
class _Orders:
    ground: Ground
    wish: Wish
    chance: random.Random
    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    taken: set[tuple[object, ...]] = field(default_factory=set)
    hits: Counter[str] = field(default_factory=Counter)
    own_hits: Counter[tuple[str, str]] = field(default_factory=Counter)

    def draw(self, wanted: int) -> list[Order]:
        intensities = self._strata(wanted)
        rounds = self._rounds()
        return [self._next(rounds, intensity) for intensity in intensities]

    def _strata(self, wanted: int) -> list[float]:
        low, width = self.wish.mild, self.wish.severe - self.wish.mild
        places = list(range(wanted))
        self.chance.shuffle(places)
        return [round(low + width * (i + self.chance.random()) / wanted, 3) for i in places]

    def _rounds(self) -> Iterator[Fault]:
        """Kinds in rounds, for as long as the last round had one that can still be ordered."""
        kinds = [kind for kind in KINDS if self._possible(kind) and self._targets(kind)]
        while kinds:
            before = len(self.taken)
            self.chance.shuffle(kinds)
            yield from kinds
            if len(self.taken) == before:
                return

    def _possible(self, kind: Fault) -> bool:
        return kind.needs != "kubernetes" or bool(self.ground.nodes)

    def _targets(self, kind: Fault) -> tuple[str, ...]:
        if kind.name not in self.targets:
            self.targets[kind.name] = kind.targets(self.ground)
        return self.targets[kind.name]

    def _next(self, rounds: Iterator[Fault], intensity: float) -> Order:
        for kind in rounds:
            order = self._order(kind, intensity)
            if order is not None:
                return order
        raise CannotPlan(
            f"there are only {len(self.taken)} different faults to be had here; ask for fewer cases"
        )

    def _order(self, kind: Fault, intensity: float) -> Order | None:
        """One that is not taken; ``None``: nothing new can be done with this kind."""
        targets = list(self._targets(kind))
        self.chance.shuffle(targets)
        targets.sort(key=lambda name: (self.own_hits[name, kind.name], self.hits[name]))
        for target in targets:
            for settings in self._settings(kind, target):
                order = Order(f"{target}/{kind.name}", intensity, settings=settings)
                if self._take(order, kind, target):
                    return order
        return None

    def _settings(self, kind: Fault, target: str) -> list[tuple[str, ...]]:
        choices = [
            [f"{one.name}={option}" for option in options]
            for one in kind.parameters
            if isinstance(one, Choice) and _free(options := one.options(self.ground, target))
        ]
        found = list(itertools.product(*choices))
        self.chance.shuffle(found)
        return found

    def _take(self, order: Order, kind: Fault, target: str) -> bool:
        values = read_order(order, self.ground).values
        key = (order.aim, *sorted(values.items()))
        if key in self.taken:
            return False
        self.taken.add(key)
        self.hits[target] += 1
        self.own_hits[target, kind.name] += 1
        return True


def _free(options: Sequence[str]) -> bool:
    """Whether an option is drawn; else the first stands."""
    # A fault of one link has no one culprit, for either end may be blamed: it stays on all links.
    return options[0] != ALL


def kinds_of(cases: Sequence[PlannedCase]) -> Counter[str]:
    """Kind of fault -> how many orders there are of it."""
    return Counter(order.aim.rpartition("/")[2] for case in cases for order in case.orders)
