"""Visits: the part of a request that one service handled, from the span it entered by.

A request visits a service once for each call into it. What the service did itself, and what it
went on to call, are facts about the visit, not about single spans, which instrumentations cut
differently.
"""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.traces.edges import Calls
from aiops.analyze.traces.forest import Forest, Rows, ancestors
from aiops.analyze.traces.times import covered
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Visits in columns, (v,) each.

    Attributes:
        entry: row of the span by which the request entered the service.
        of_span: (n,) number of the visit of each span of the forest.
        group: number of its kind: equal for equal (service, entry operation).
        kinds: (g, 2) service and operation of each group.
        work: seconds in which the service did not wait for a recorded call.
    """

    entry: Rows
    of_span: Rows
    group: Rows
    kinds: Rows
    work: FloatArray


def visits(forest: Forest, calls: Calls) -> Visits:
    """The visits of a forest, in the order of their entry spans.

    Work is the entry span less all calls out of the visit, however spans of the service's own
    lie: a wrapper beside the call that it wraps does not work while that call runs.
    Spans of an operation that elsewhere waits for another service are waiting here too, though
    the callee's side was not recorded: they are no work.
    """
    service, rows = forest.service, np.arange(len(forest.parent))
    same = (forest.parent >= 0) & (service[forest.parent] == service)
    top = ancestors(np.where(same, forest.parent, rows))
    entry = np.flatnonzero(top == rows)
    number = np.zeros(len(rows), dtype=np.intp)
    number[entry] = np.arange(len(entry))
    of_span = number[top]
    code = service * max(1, len(forest.spans.operations)) + forest.operation
    client = np.isin(code, np.unique(code[calls.client[np.isfinite(calls.network)]]))
    waits = np.flatnonzero(client & (rows != top))
    owner = of_span[waits]
    low = forest.spans.starts[waits] - forest.spans.starts[entry[owner]]
    length = forest.spans.durations[entry]
    waited = covered(owner, low, low + forest.spans.durations[waits], length)
    kinds, group = np.unique(code[entry], return_inverse=True)
    operations = max(1, len(forest.spans.operations))
    return Visits(
        entry=entry,
        of_span=of_span,
        group=group.astype(np.intp),
        kinds=np.stack([kinds // operations, kinds % operations], axis=1),
        work=np.where(client[entry], 0.0, np.maximum(length - waited, 0.0)),
    )
