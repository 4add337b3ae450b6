"""Large answers are decoded whole, and the collector of cycles goes on afterwards."""

import gc
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from aiops_tools.kubernetes.decoding import decoded

LARGE = json.dumps({"items": [{"name": f"pod-{number}"} for number in range(10_000)]}).encode()


def test_many_large_answers_at_once_are_decoded_and_collecting_goes_on() -> None:
    assert gc.isenabled()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(decoded, [LARGE] * 12))
    assert all(len(one["items"]) == 10_000 for one in found)
    assert gc.isenabled()


def test_collecting_goes_on_after_what_is_no_json() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        decoded(LARGE[:-1] + b"!")
    assert gc.isenabled()


def test_who_had_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        decoded(LARGE)
        assert not gc.isenabled()
    finally:
        gc.enable()
