"""Vector autoregressions with a known lagged graph, to measure causal discovery against."""

from typing import NamedTuple

import numpy as np

from aiops.errors import InvalidInput
from aiops.model.telemetry import FloatArray


class LaggedEdge(NamedTuple):
    """``source`` at t - ``lag`` rows drives ``target`` at t."""

    source: int
    target: int
    lag: int


class VarProcess(NamedTuple):
    """Attributes: values: (length, nodes); edges: the true ones, without those to itself."""

    values: FloatArray
    edges: tuple[LaggedEdge, ...]


def var_process(
    seed: int,
    nodes: int = 8,
    lags: int = 3,
    length: int = 1000,
    density: float = 0.2,
    *,
    nonlinear: bool = False,
) -> VarProcess:
    """A stationary vector autoregression with a known graph (notes: measures, Synthetic VAR).

    ``density`` of the ordered pairs carry one edge each, at a lag of 1 to ``lags``; every node also
    remembers itself at lag 1. All |coefficients| are .2 to .5, the noise is standard normal, and
    systems whose companion matrix has a spectral radius of .95 or more are drawn again.

    Args:
        nonlinear: the past acts through 1.5 tanh(x) instead of x: large causes saturate.

    Raises:
        InvalidInput: no stationary system was found; ask for a lower density or fewer nodes.
    """
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(nodes) for j in range(nodes) if i != j]
    for _ in range(200):
        coefficients = np.zeros((lags, nodes, nodes))  # [lag - 1, target, source]
        coefficients[0, range(nodes), range(nodes)] = rng.uniform(0.2, 0.5, nodes)
        chosen = rng.choice(len(pairs), size=round(density * len(pairs)), replace=False)
        edges = sorted(
            LaggedEdge(pairs[i][0], pairs[i][1], int(rng.integers(1, lags + 1))) for i in chosen
        )
        for source, target, lag in edges:
            sign = rng.choice([-1.0, 1.0])
            coefficients[lag - 1, target, source] = sign * rng.uniform(0.2, 0.5)
        if _spectral_radius(coefficients) < 0.95:
            break
    else:
        raise InvalidInput(
            f"no stationary system of {nodes} nodes at density {density:g}; ask for a lower one"
        )
    settle = 200  # rows dropped: the memory of starting from nothing
    values = rng.standard_normal((settle + length, nodes))
    for t in range(lags, settle + length):
        past = values[t - lags : t][::-1]  # [lag - 1, source]
        sent = 1.5 * np.tanh(past) if nonlinear else past
        values[t] += np.einsum("lts,ls->t", coefficients, sent)
    return VarProcess(values[settle:], tuple(edges))


def _spectral_radius(coefficients: FloatArray) -> float:
    lags, nodes, _ = coefficients.shape
    companion = np.eye(lags * nodes, k=-nodes)
    companion[:nodes] = coefficients.transpose(1, 0, 2).reshape(nodes, lags * nodes)
    return float(np.abs(np.linalg.eigvals(companion)).max())
