"""Stage 2: every series forecast one row ahead from the past of all, in one batched model.

RUN trains a DLinear forecaster for each target in turn (38 series of 600 rows: 2,051 s). Here the
encoders are shared by all targets, the targets' heads are one matrix, and the folds of the
cross-validation are a further axis of the same products:

    window i (trend, rest) --encoder i--> features h --[h, gelu(h)]--> head (i, j) --> forecast j

Departures from RUN, each for a reason measured on synthetic vector autoregressions:

* gelu features beside the linear ones: DLinear is linear, and a quadratic cause is invisible to it;
* inputs scaled by lag ** -1.5: near rows matter most (the prior of Litterman 1986 and of every
  "Minnesota" VAR), and Adam's equal steps would otherwise spend themselves on far lags;
* heads under a group lasso (see attention);
* four folds instead of one split: each row's contribution comes from a model that did not train on
  it, so significance is tested on all rows and without the optimism of a fit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiops.analyze.neural import attention
from aiops.analyze.neural.backend import Tensor, load_torch, one_thread, pick_device
from aiops.analyze.neural.pretrain import pretrain
from aiops.analyze.neural.windows import (
    FEWEST_ROWS,
    decompose,
    nearness,
    past_windows,
    window_length,
)
from aiops.errors import AnalysisFailed
from aiops.model.telemetry import FloatArray, IntArray

FEATURES = 16
"""Features of an encoded window, a quarter of what it decomposes into. Edge F1 on the synthetic
VARs, linear / saturating: .983 / .970 with 8, .979 / .970 with 16, .991 / .991 with 32 (slower)."""
DECAY = 1.5
"""Exponent by which lags fade. Edge F1 .967 / .982 with half of it, .938 / .927 with twice; without
fading, and without the group penalty, .65 / .76."""
FOLDS = 4
"""Contiguous quarters of the rows, each held out once; RUN holds out the last quarter only.
Edge F1 .951 / .949 with 2 and .991 / .983 with 8, at twice the time."""
RATE = 1e-2
"""Adam's step. The rows are one batch, so it is ten times RUN's."""
MOST_EPOCHS = 400
"""Passes over the rows; 38 recorded series stop long before."""
PATIENCE = 30
"""Passes without a better held-out loss before it stops."""
LEAST_GAIN = 1e-5
"""What counts as better, in units of the standardized series' variance."""
HEAD_SCALE = 0.1
"""Start of the heads, relative to what keeps a unit variance: nobody is a cause to begin with."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What the forecaster found; ``[source, target]`` in every matrix.

    Attributes:
        contributions: (rows, m, m) what the past of each source added to each target's forecast
            of a row that the model was not trained on, in standard deviations of the target.
        residuals: (rows, m) what was left of the target.
        attention: (m, m) RUN's causal score: softmax weight times m, averaged over the folds.
        lags: (m, m) rows back at which the target reacts most to the source, 1 or more.
        loss: held-out mean squared error; 1 is no better than the mean.
        epochs: passes until the best of them.
        pretraining: loss of each step of stage 1.
        window: rows of the past that were shown.
    """

    contributions: FloatArray
    residuals: FloatArray
    attention: FloatArray
    lags: IntArray
    loss: float
    epochs: int
    pretraining: tuple[float, ...]
    window: int


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """One model a fold (K): the tensors that are trained.

    Attributes:
        encoders: (K, m, 2L, D); biases: (K, m, 1, D).
        heads: (K, m, 2D, m) [source, feature, target]; logits: (K, m, m) [source, target].
        levels: (K, 1, m) what is forecast where nothing is known.
    """

    encoders: Tensor
    biases: Tensor
    heads: Tensor
    logits: Tensor
    levels: Tensor

    def parts(self) -> tuple[Tensor, ...]:
        return (self.encoders, self.biases, self.heads, self.logits, self.levels)


def fit(
    values: FloatArray,
    *,
    seed: int = 0,
    prior: FloatArray | None = None,
    device: str | None = None,
    pretrained: bool = True,
    progress: Progress | None = None,
) -> Fit:
    """Train both stages on ``values``; equal seeds give equal bits on a CPU.

    Args:
        values: (n, m) standardized, without gaps (see ``analyze.columns.standardize``).
        prior: (m, m) [source, target] how plausible each link is before any data; None for even.
        device: "cpu", "cuda"; by default a GPU where there is one.
        pretrained: whether stage 1 runs; off in the ablation.
        progress: told (stage, done, total) as it goes.

    Raises:
        AnalysisFailed: torch is missing, the rows are too few, or the loss is no number.
    """
    rows, width = values.shape
    length = window_length(rows)
    if length == 0:
        raise AnalysisFailed(
            f"neural_granger: {rows} rows hold no windows; widen the window to {FEWEST_ROWS} rows"
        )
    torch = load_torch()
    even = np.ones((width, width)) if prior is None else prior
    with one_thread(torch):
        return _fit(
            torch,
            values,
            length,
            seed=seed,
            prior=even,
            device=device or pick_device(torch),
            pretrained=pretrained,
            tell=progress or _silent,
        )


def _fit(
    torch: Any,
    values: FloatArray,
    length: int,
    *,
    seed: int,
    prior: FloatArray,
    device: str,
    pretrained: bool,
    tell: Progress,
) -> Fit:
    encoders, biases = _encoders(torch, values.shape[1], length, seed, device)
    losses: tuple[float, ...] = ()
    if pretrained:
        encoders, biases, losses = pretrain(
            torch,
            _Encode(torch, length, device),
            encoders,
            biases,
            values,
            length,
            seed=seed,
            tick=lambda done, total: tell("pretraining", done, total),
        )
    start = _start(torch, encoders, biases, prior, seed)
    inputs = np.ascontiguousarray(np.moveaxis(decompose(past_windows(values, length)), 1, 0))
    shown = torch.as_tensor(inputs, dtype=torch.float32, device=device)
    wanted = torch.as_tensor(values[length:].copy(), dtype=torch.float32, device=device)
    fold_of = np.arange(len(wanted)) * FOLDS // len(wanted)
    best, loss, epochs = _train(torch, start, shown, wanted, fold_of, length, tell)
    contributions, forecasts = _held_out(torch, best, shown, fold_of, length)
    return Fit(
        contributions=contributions,
        residuals=values[length:] - forecasts,
        attention=_numbers(attention.attend(torch, best.logits).mean(0)),
        lags=_lags(torch, best, shown, length),
        loss=loss,
        epochs=epochs,
        pretraining=losses,
        window=length,
    )


class _Encode:
    """(inputs, weights, biases) -> features; inputs (m, rows, 2L), features (..., m, rows, D)."""

    def __init__(self, torch: Any, length: int, device: str) -> None:
        scale = nearness(length, DECAY)
        self._scale = torch.as_tensor(scale, dtype=torch.float32, device=device)

    def __call__(self, inputs: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
        return (inputs * self._scale) @ weights + biases


def _encoders(torch: Any, width: int, length: int, seed: int, device: str) -> tuple[Tensor, Tensor]:
    """The same random start for every series: a column's place in the table decides nothing."""
    generator = torch.Generator().manual_seed(seed)
    one = torch.randn(2 * length, FEATURES, generator=generator) * (2 / length) ** 0.5
    weights = one.expand(width, -1, -1).clone()
    return weights.to(device), torch.zeros(width, 1, FEATURES, device=device)


def _start(torch: Any, encoders: Tensor, biases: Tensor, prior: FloatArray, seed: int) -> _Weights:
    generator = torch.Generator().manual_seed(seed + 1)
    width, device = len(prior), encoders.device
    heads = torch.randn(2 * FEATURES, generator=generator) * HEAD_SCALE / (2 * FEATURES) ** 0.5
    logits = torch.as_tensor(attention.starting_logits(prior), dtype=torch.float32)
    parts = (
        encoders,
        biases,
        heads[None, :, None].expand(width, -1, width).to(device),
        logits.to(device),
        torch.zeros(1, width, device=device),
    )
    return _Weights(*(part.expand(FOLDS, *part.shape).clone().requires_grad_() for part in parts))


def _features(torch: Any, weights: _Weights, shown: Tensor, encode: _Encode) -> Tensor:
    """(K, m, rows, 2D) linear and curved features of every window."""
    linear = encode(shown, weights.encoders, weights.biases)
    return torch.cat([linear, torch.nn.functional.gelu(linear)], dim=-1)


def _train(
    torch: Any,
    weights: _Weights,
    shown: Tensor,
    wanted: Tensor,
    fold_of: npt.NDArray[np.int_],
    length: int,
    tell: Progress,
) -> tuple[_Weights, float, int]:
    """The weights of the pass with the least held-out loss, that loss, and the pass.

    The one number that the held-out rows decide is when to stop, for all targets together.
    """
    encode = _Encode(torch, length, str(wanted.device))
    held = torch.as_tensor(fold_of[None] == np.arange(FOLDS)[:, None], device=wanted.device)
    held = held.to(torch.float32)[:, :, None]
    width, rows = wanted.shape[1], len(wanted)
    optimizer = torch.optim.Adam(weights.parts(), lr=RATE)
    best, least, found = weights, float("inf"), 0
    for epoch in range(MOST_EPOCHS):
        effective = attention.effective_heads(torch, weights.heads, weights.logits)
        features = _features(torch, weights, shown, encode)
        forecast = features.transpose(1, 2).reshape(FOLDS, rows, -1) @ effective.reshape(
            FOLDS, -1, width
        )
        squared = (forecast + weights.levels - wanted) ** 2
        loss = float((squared.detach() * held).sum()) / (rows * width)
        if not np.isfinite(loss):
            raise AnalysisFailed("neural_granger: the loss is no number; standardize the columns")
        tell("training", epoch + 1, MOST_EPOCHS)
        if loss < least - LEAST_GAIN:
            least, found = loss, epoch
            best = _Weights(*(part.detach().clone() for part in weights.parts()))
        elif epoch - found >= PATIENCE:
            break
        trained = ((squared * (1 - held)).sum((1, 2)) / ((1 - held).sum((1, 2)) * width)).sum()
        optimizer.zero_grad()
        (trained + attention.group_penalty(effective)).backward()
        optimizer.step()
    return best, least, found


def _held_out(
    torch: Any, weights: _Weights, shown: Tensor, fold_of: npt.NDArray[np.int_], length: int
) -> tuple[FloatArray, FloatArray]:
    """(rows, m, m) contributions and (rows, m) forecasts, each row by the fold that left it out."""
    encode = _Encode(torch, length, str(shown.device))
    effective = attention.effective_heads(torch, weights.heads, weights.logits)
    features = _features(torch, weights, shown, encode)
    parts = [
        (features[k][:, np.flatnonzero(fold_of == k)] @ effective[k]).transpose(0, 1)
        for k in range(FOLDS)
    ]
    contributions = _numbers(torch.cat(parts))
    levels = _numbers(weights.levels)[:, 0][fold_of]
    return contributions, contributions.sum(axis=1) + levels


def _lags(torch: Any, weights: _Weights, shown: Tensor, length: int) -> IntArray:
    """(m, m) the lag at which a forecast's root-mean-square slope is steepest."""
    encode = _Encode(torch, length, str(shown.device))
    width = len(shown)
    effective = attention.effective_heads(torch, weights.heads, weights.logits)
    # Slopes are taken on the window itself; a decomposed window is a linear map of it.
    split = torch.as_tensor(decompose(np.eye(length)), dtype=torch.float32, device=shown.device)
    linear = encode(shown, weights.encoders, weights.biases).requires_grad_()
    curved = torch.nn.functional.gelu(linear)
    (slope,) = torch.autograd.grad(curved.sum(), linear)
    lags = np.empty((width, width), dtype=np.int32)
    down = encode(split, weights.encoders, 0.0)  # (K, m, L, D): window row -> feature
    for target in range(width):
        head = effective[..., target]
        feature = head[:, :, None, :FEATURES] + slope * head[:, :, None, FEATURES:]
        back = (feature @ down.transpose(-1, -2)).pow(2).mean((0, 2))  # (m, L)
        lags[:, target] = length - back.argmax(-1).cpu().numpy()
    return lags


def _numbers(tensor: Tensor) -> FloatArray:
    numbers: FloatArray = tensor.detach().cpu().double().numpy()
    return numbers


def _silent(stage: str, done: int, total: int) -> None:
    """Tells nobody."""
