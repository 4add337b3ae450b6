"""What the spans say, in sentences that can be looked up again."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.contrasts import Phase
from aiops.analyze.traces.endings import Ending
from aiops.analyze.traces.errors import Failing, Unanswered
from aiops.analyze.traces.forest import Forest
from aiops.analyze.traces.recursion import Step
from aiops.analyze.traces.slowness import Edges, Slow
from aiops.analyze.traces.suspicion import Spectrum
from aiops.analyze.wording import listed, percent, plain, quantity
from aiops.model import Evidence, Window

_ROUNDING_S = 1e-3  # datetimes hold microseconds; spans begin between them


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """Writes evidence about the spans of one episode.

    Attributes:
        forest: the trees; the window's own spans carry ``source``.
        phase: (n,) phase of each span.
        source: the table that evidence refers to.
    """

    forest: Forest
    phase: npt.NDArray[np.int8]
    source: str

    def network(self, slow: Slow, edges: Edges) -> Evidence:
        """The slow calls that a service explains."""
        chosen = list(slow.blame.edges) if slow.blame else []
        rise = edges.rise
        weight = np.maximum(rise.seen[chosen], 1e-12)
        now = float(np.average(rise.now[chosen], weights=weight))
        usual = float(np.average(rise.usual[chosen], weights=weight))
        into = [self.service(edges.caller[e]) for e in chosen if edges.callee[e] == slow.service]
        out = [self.service(edges.callee[e]) for e in chosen if edges.caller[e] == slow.service]
        here = self.service(slow.service)
        ends = [f"from {listed(into)} to {here}"] * bool(into)
        ends += [f"from {here} to {listed(out)}"] * bool(out)
        return self._evidence(
            f"Calls {' and '.join(ends)} spend "
            f"{quantity(now, 's')} on the way, which neither end worked, usually "
            f"{quantity(usual, 's')} ({int(rise.seen[chosen].sum())} calls).",
            self.forest.spans.services[slow.service],
        )

    def work(self, slow: Slow) -> Evidence:
        """A service's own work that rose."""
        return self._evidence(
            f"{self.service(slow.service)} works at least {quantity(slow.own, 's')} longer on each "
            f"request than its usual {quantity(slow.usual, 's')}, most in "
            f"{self.operation(slow.entry)}; waiting for others is not counted.",
            self.forest.spans.operations[slow.entry],
        )

    def ending(self, ending: Ending) -> Evidence:
        """Requests that end early."""
        after = (
            "before any call"
            if ending.last < 0
            else f"after the call to {self.operation(ending.last_operation)} of "
            f"{self.service(ending.last)}"
        )
        return self._evidence(
            f"{percent(ending.now)} of the requests to {self.operation(ending.operation)} of "
            f"{self.service(ending.service)} that come that far end {after}, usually "
            f"{percent(ending.usual)} ({ending.seen} requests).",
            self.forest.spans.operations[ending.operation],
        )

    def failing(self, failing: Failing) -> Evidence:
        """Errors that begin in a service."""
        return self._evidence(
            f"{percent(failing.now)} of the spans {self.operation(failing.operation)} of "
            f"{self.service(failing.service)} fail by themselves, usually "
            f"{percent(failing.usual)} ({failing.seen} spans).",
            self.forest.spans.operations[failing.operation],
        )

    def unanswered(self, unanswered: Unanswered) -> Evidence:
        """Calls that the callee recorded nothing of."""
        return self._evidence(
            f"{percent(unanswered.now)} of the calls {self.operation(unanswered.operation)} of "
            f"{self.service(unanswered.caller)} have no span of "
            f"{self.service(unanswered.callee)}, usually {percent(unanswered.usual)} "
            f"({unanswered.seen} calls).",
            self.forest.spans.operations[unanswered.operation],
        )

    def common(self, service: int, spectrum: Spectrum) -> Evidence:
        """What failing requests have in common."""
        return self._evidence(
            f"{int(spectrum.failing[service])} of {spectrum.failing_all} failing requests visit "
            f"{self.service(service)}, and {int(spectrum.passing[service])} of "
            f"{spectrum.passing_all} others.",
            self.forest.spans.services[service],
        )

    def request(self, path: tuple[Step, ...], waits: tuple[tuple[int, float], ...]) -> Evidence:
        """One failing request, followed down to the step that its time was lost in.

        Args:
            waits: services on its critical path and the seconds it waited for each.
        """
        top, last = path[0], path[-1]
        trace = str(self.forest.spans.trace_ids[top.spans[0]])
        names = list(dict.fromkeys(self.service(step.service) for step in path))
        usual = "" if np.isnan(top.usual) else f" instead of {quantity(top.usual, 's')}"
        # Calls side by side lose more together than the request took.
        side_by_side = last.own > top.seconds and len(last.spans) > 1
        of_it = f"over {len(last.spans)} calls" if side_by_side else "of it"
        spent = [f"{quantity(seconds, 's')} in {self.service(one)}" for one, seconds in waits]
        return self._evidence(
            f"Request {plain(trace)} took {quantity(top.seconds, 's')}{usual}; followed down "
            f"{' -> '.join(names)}, {quantity(last.own, 's')} {of_it} were lost in "
            f"{self.operation(last.operation)} of {self.service(last.service)} itself; its "
            f"critical path spends {listed(spent)}.",
            trace,
            self.forest.root == top.spans[0],
        )

    def service(self, index: int) -> str:
        """Its name, fit to print."""
        return plain(self.forest.spans.services[index])

    def operation(self, index: int) -> str:
        """Its name, fit to print."""
        return plain(self.forest.spans.operations[index])

    def _evidence(
        self, claim: str, ref: str, rows: npt.NDArray[np.bool_] | None = None
    ) -> Evidence:
        starts = self.forest.spans.starts[self.phase == Phase.DURING if rows is None else rows]
        window = Window(_utc(starts.min() - _ROUNDING_S), _utc(starts.max() + _ROUNDING_S))
        return Evidence("", "trace", claim, self.source, window, ref)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
