"""How a shock in one suspect travels through the others: vector autoregression of a few series."""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.columns import standardize
from aiops.errors import AnalysisFailed
from aiops.model.telemetry import FloatArray

MOST_SERIES = 6
ROWS_PER_COEFFICIENT = 2


@dataclass(frozen=True, slots=True, eq=False)
class ImpulseResponse:
    """Responses of each series to a shock of one standard deviation in each other.

    Attributes:
        lags: lags of the model, chosen by BIC.
        stable: whether responses die out; where False they say nothing beyond the horizon.
        responses: (horizon + 1, k, k) ``[step, response, impulse]``, orthogonalised (Lütkepohl,
            New Introduction to Multiple Time Series Analysis, 2005, section 2.3.2), in standard
            deviations of the responding series. The order of the series matters: an earlier one
            may move a later one at once, not the reverse.
        shares: (k, k) ``[response, impulse]`` share of the response's forecast error variance
            at the horizon that the impulse explains (section 2.3.3); rows sum to 1.
    """

    lags: int
    stable: bool
    responses: FloatArray
    shares: FloatArray


def impulse_response(values: FloatArray, *, max_lag: int = 5, horizon: int = 10) -> ImpulseResponse:
    """Fit a vector autoregression to (n, k) stationary series, 2 <= k <= 6, and shock it.

    Put the series in order of onset, earliest first: that is the order in which shocks count.

    Raises:
        AnalysisFailed: too many or too few series or rows, a series without signal, or series
            that repeat one another.
    """
    rows, width = values.shape
    if not 2 <= width <= MOST_SERIES:
        raise AnalysisFailed(
            f"impulse response: {width} series; choose between 2 and {MOST_SERIES}"
        )
    # Every equation estimates width coefficients a lag, and a constant.
    most = min(max_lag, (rows // ROWS_PER_COEFFICIENT - 1) // (width + 1))
    if most < 1:
        raise AnalysisFailed(
            f"impulse response: {rows} rows are too few for {width} series; "
            f"widen the window to {ROWS_PER_COEFFICIENT * (width + 2)} rows or more"
        )
    table = standardize(values)
    if table.dropped:
        first = table.dropped[0]
        raise AnalysisFailed(
            f"impulse response: series {first.column} cannot be used ({first.reason}); leave it out"
        )
    if np.linalg.matrix_rank(table.values, tol=1e-6 * np.sqrt(rows)) < width:
        raise AnalysisFailed("impulse response: series repeat one another; leave the copies out")

    from statsmodels.tsa.api import VAR

    try:
        fit = VAR(table.values).fit(maxlags=most, ic="bic")
        if fit.k_ar == 0:  # BIC found no memory at all: shocks would not travel
            fit = VAR(table.values).fit(1)
        responses = np.asarray(fit.irf(horizon).orth_irfs)
        shares = np.asarray(fit.fevd(horizon).decomp)[:, -1, :]
        stable = bool(np.abs(fit.roots).min() > 1)
    except np.linalg.LinAlgError as error:
        raise AnalysisFailed(
            f"impulse response: the model of {width} series is singular ({error}); use fewer"
        ) from error
    return ImpulseResponse(int(fit.k_ar), stable, responses, shares)
