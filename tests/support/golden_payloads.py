"""Payloads of senders as they lie on disk, and the same with anything in them replaced."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from aiops.ports.webhook import Push

RECEIVED = datetime(2026, 5, 20, 15, tzinfo=UTC)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


class Golden:
    """A folder of ``<sender>/<name>.json``, each beside what becomes of it and its headers.

    Attributes:
        cases: ``<sender>/<name>`` of every payload, sorted.
        beside: the same of every file that lies beside a payload, be the payload there or not.
    """

    def __init__(self, folder: Path, becomes: str) -> None:
        """``becomes`` names the outcome's file: ``<name>.<becomes>.json``."""
        self._folder, self._becomes = folder, becomes
        found = sorted(folder.glob("*/*.json"))
        beside = {path for path in found if path.name.count(".") > 1}
        self.cases = [f"{path.parent.name}/{path.stem}" for path in found if path not in beside]
        self.beside = {f"{path.parent.name}/{path.name.split('.')[0]}" for path in beside}

    def outcome(self, case: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._file(case, f".{self._becomes}").read_text())
        return found

    def pushed(self, case: str, payload: object = None) -> Push:
        """The case as it arrives, or another payload with its headers."""
        headers = self._file(case, ".headers")
        body = self._file(case).read_bytes() if payload is None else json.dumps(payload).encode()
        said = json.loads(headers.read_text()) if headers.exists() else {}
        return Push(source="hook", body=body, headers=said, received_at=RECEIVED)

    def replaced(self, sender: str, data: st.DataObject) -> Push:
        """A case of the sender with up to three values of its payload replaced by any others."""
        case = data.draw(
            st.sampled_from([one for one in self.cases if one.startswith(f"{sender}/")])
        )
        payload = json.loads(self._file(case).read_text())
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.sampled_from(_places(payload)))
            payload = _with_other(payload, at, data.draw(_JSON))
        return self.pushed(case, payload)

    def _file(self, case: str, beside: str = "") -> Path:
        return self._folder / f"{case}{beside}.json"


def _places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    members = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else ()
    inner = [place for key, one in (*members, *items) for place in _places(one, (*at, key))]
    return [at, *inner]


def _with_other(value: Any, at: tuple[str | int, ...], other: Any) -> Any:
    """A copy of a JSON value with another one at a place."""
    if not at:
        return other
    copy = value.copy()
    copy[at[0]] = _with_other(value[at[0]], at[1:], other)
    return copy
