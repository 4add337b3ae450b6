"""What failing requests have in common that passing ones do not: spectrum-based suspicion.

As in MicroRank (Yu et al., WWW 2021): a request fails where it took longer than such requests
do, and each service is scored by how it divides failing from passing requests, with Ochiai's
formula. Only requests of the same kind are compared, since kinds differ in whom they visit.
"""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.traces.forest import Forest, Mask
from aiops.model.telemetry import FloatArray

SIGMAS = 3.0
"""Standard deviations above the usual duration of its kind from which a request fails."""
LEAST_PASSING = 5
"""Past requests of a kind below which its usual duration is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Failing and passing requests by the services they visited, (s,) each.

    Attributes:
        failing, passing: requests that visited the service.
        failing_all, passing_all: requests in all.
    """

    failing: FloatArray
    passing: FloatArray
    failing_all: int
    passing_all: int

    @property
    def ochiai(self) -> FloatArray:
        """(s,) 1 for services that all failing and no passing requests visited."""
        visited = np.maximum((self.failing + self.passing) * self.failing_all, 1e-12)
        return np.where(self.failing > 0, self.failing / np.sqrt(visited), 0.0)


def failing_requests(forest: Forest, past: Mask, during: Mask, error: Mask) -> Mask:
    """(n,) whether a span is the root of a request that failed during the episode.

    Args:
        past, during: (n,) phases of the spans.
        error: (n,) spans that state an error; one anywhere below fails the request.
    """
    kinds, kind = np.unique(
        forest.service * max(1, len(forest.spans.operations)) + forest.operation,
        return_inverse=True,
    )
    root = forest.parent < 0
    rows = root & past
    took = forest.spans.durations
    seen = np.bincount(kind[rows], minlength=len(kinds))
    mean = np.bincount(kind[rows], weights=took[rows], minlength=len(kinds)) / np.maximum(seen, 1)
    squares = np.bincount(
        kind[rows], weights=(took[rows] - mean[kind[rows]]) ** 2, minlength=len(kinds)
    )
    limit = mean + SIGMAS * np.sqrt(squares / np.maximum(seen - 1, 1))
    slow = (seen[kind] >= LEAST_PASSING) & (took > limit[kind])
    erring = np.zeros(len(root), dtype=np.bool_)
    erring[forest.root[error]] = True
    failing: Mask = root & during & (slow | erring)
    return failing


def spectrum(forest: Forest, failing: Mask, during: Mask) -> Spectrum:
    """Which services failing and passing requests of the episode visited.

    Args:
        failing: (n,) roots of failing requests.
        during: (n,) spans of the episode.
    """
    services = max(1, len(forest.spans.services))
    roots = np.flatnonzero((forest.parent < 0) & during)
    member = during[forest.root]
    visited = np.unique(forest.root[member].astype(np.int64) * services + forest.service[member])
    root, service = visited // services, visited % services
    fails = failing[root]
    return Spectrum(
        failing=np.bincount(service[fails], minlength=services).astype(np.float64),
        passing=np.bincount(service[~fails], minlength=services).astype(np.float64),
        failing_all=int(failing[roots].sum()),
        passing_all=int((~failing[roots]).sum()),
    )
