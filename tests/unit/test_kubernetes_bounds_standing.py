"""When an autoscaler's new bounds have been reached: once it has chosen within them."""

from typing import Any

import pytest

from aiops_tools.kubernetes.actions.bounds import SET_HPA_BOUNDS
from aiops_tools.watching import Standing

ASKED = SET_HPA_BOUNDS.asks(
    cluster="c", namespace="shop", name="web", min_replicas=1, max_replicas=4
)


def standing(
    wants: int, has: int, *conditions: tuple[str, str, str], most: int = 4, ready: int | None = None
) -> Standing:
    told = [{"type": kind, "status": status, "reason": why} for kind, status, why in conditions]
    now: dict[str, Any] = {
        "spec": {"minReplicas": 1, "maxReplicas": most},
        "status": {"desiredReplicas": wants, "currentReplicas": has, "conditions": told},
    }
    serving = has if ready is None else ready
    pods = [pod(ready=number < serving) for number in range(has)]
    return SET_HPA_BOUNDS.standing(ASKED, now, pods)


def pod(*, ready: bool) -> dict[str, Any]:
    return {
        "metadata": {},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_an_autoscaler_that_still_tells_of_its_old_maximum_has_not_looked() -> None:
    found = standing(2, 2, ("ScalingLimited", "True", "TooManyReplicas"))
    assert not found.reached
    assert not found.hopeless


def test_replicas_that_are_not_there_yet_are_waited_for() -> None:
    assert not standing(3, 2, ("ScalingLimited", "False", "DesiredWithinRange")).reached
    assert standing(3, 3, ("ScalingLimited", "False", "DesiredWithinRange")).reached


def test_replicas_that_do_not_serve_yet_are_waited_for() -> None:
    within = ("ScalingLimited", "False", "DesiredWithinRange")
    assert not standing(3, 3, within, ready=2).reached
    blind = ("ScalingActive", "False", "FailedGetResourceMetric")
    assert not standing(3, 3, blind, ready=0).reached
    assert standing(3, 3, blind).reached


def test_the_new_maximum_may_be_too_little_again() -> None:
    assert standing(4, 4, ("ScalingLimited", "True", "TooManyReplicas")).reached


def test_more_than_it_may_have_now_are_waited_for_until_they_are_gone() -> None:
    assert not standing(6, 6).reached


@pytest.mark.parametrize("kind", ["ScalingActive", "AbleToScale"])
def test_one_that_cannot_scale_is_not_waited_for(kind: str) -> None:
    found = standing(2, 1, (kind, "False", "FailedGetResourceMetric"))
    assert found.reached
    assert "cannot choose" in found.seen


def test_bounds_are_kept_by_one_that_cannot_measure() -> None:
    found = standing(0, 0)
    assert found.reached, "nothing runs that it could scale"
    assert not standing(6, 6, ("ScalingActive", "False", "FailedGetResourceMetric")).reached


def test_bounds_that_somebody_else_has_set_are_not_reached() -> None:
    found = standing(2, 2, most=9)
    assert (found.reached, found.hopeless) == (False, True)
