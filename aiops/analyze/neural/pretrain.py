"""Stage 1: encoders learn what of the past matters, without labels and without negatives.

Two crops of the same timestamps must have the same representation although they see different
amounts of the past. SimSiam (Chen and He, CVPR 2021): one side passes a projector, the gradient
of the other is stopped, and that alone keeps all representations from becoming one. Compared at
every scale of time: neighbours are max-pooled until one row is left (TS2Vec, Yue et al., AAAI 2022,
algorithm 1; RUN takes it over).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from aiops.analyze.neural.backend import Tensor
from aiops.analyze.neural.windows import decompose, random_crops
from aiops.model.telemetry import FloatArray

STEPS = 40
"""Batches of crops: views agree to .85 by then, to .96 after three times as many. RUN trains 50
epochs. The stage earns little here: edge F1 on the synthetic VARs, linear / saturating, is
.979 / .970 with it and .978 / .975 without."""
PAIRS = 8
"""Pairs of crops in one batch."""
RATE = 3e-3
"""Adam's step: three times RUN's, for a twelfth of its batches."""

Encoder = Callable[[Tensor, Tensor, Tensor], Tensor]
Tick = Callable[[int, int], None]


def pretrain(
    torch: Any,
    encode: Encoder,
    weights: Tensor,
    biases: Tensor,
    values: FloatArray,
    length: int,
    *,
    seed: int,
    tick: Tick,
) -> tuple[Tensor, Tensor, tuple[float, ...]]:
    """Train the encoders on pairs of crops of ``values``.

    Each series is its own example: no representation depends on another series, so what stage 2
    holds out is not given away.

    Args:
        encode: (inputs, weights, biases) -> representations; inputs (m, rows, 2 * length).
        weights, biases: (m, 2 * length, features) and (m, 1, features), to start from.
        values: (n, m) standardized series.
        tick: told (done, total) after each step.

    Returns: trained weights, biases, and the loss of every step (-1 is perfect agreement).
    """
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    features, device = weights.shape[-1], weights.device
    projector = [
        (torch.randn(features, features, generator=generator) / features**0.5).to(device)
        for _ in range(2)
    ]
    trained = [part.detach().clone().requires_grad_() for part in (weights, biases, *projector)]
    optimizer = torch.optim.Adam(trained, lr=RATE)
    losses = []
    for step in range(STEPS):
        crops = random_crops(len(values), length, PAIRS, rng)
        views = []
        for rows in crops:
            shown = decompose(np.moveaxis(values[rows], -1, -2))  # (pairs, overlap, m, 2 length)
            inputs = np.moveaxis(shown, 2, 0).reshape(values.shape[1], -1, shown.shape[-1])
            tensor = torch.as_tensor(inputs, dtype=torch.float32, device=device)
            view = encode(tensor, trained[0], trained[1])
            views.append(view.reshape(-1, rows.shape[1], features))  # (m * pairs, overlap, D)
        loss = hierarchical_loss(torch, views[0], views[1], trained[2], trained[3])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        tick(step + 1, STEPS)
    return trained[0].detach(), trained[1].detach(), tuple(losses)


def hierarchical_loss(
    torch: Any, first: Tensor, second: Tensor, hidden: Tensor, out: Tensor
) -> Tensor:
    """Minus the cosine of two views, (batch, rows, features), averaged over scales of time."""
    losses = []
    while True:
        for mine, other in ((first, second), (second, first)):
            projected = torch.relu(mine @ hidden) @ out
            losses.append(
                -torch.nn.functional.cosine_similarity(projected, other.detach(), dim=-1).mean()
            )
        if first.shape[1] == 1:
            return torch.stack(losses).mean()
        first, second = (
            torch.nn.functional.max_pool1d(view.transpose(1, 2), 2, ceil_mode=True).transpose(1, 2)
            for view in (first, second)
        )
