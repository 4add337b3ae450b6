"""Secrets that people left in plain places of objects: variables, arguments, config maps, messages.

Whole objects are not searched: of hundreds of pods nearly everything is the same, or made by the
cluster itself. What is searched is searched once for each different content.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from aiops.analyze.state.api import Api
from aiops.toolbelt.redaction import Redactor

_IN_CONTAINER = ("env", "command", "args")


@dataclass(frozen=True, slots=True)
class Veil:
    """Hides them, equal ones alike."""

    redactor: Redactor
    known: dict[str, Any] = field(default_factory=dict)

    def over(self, one: Api) -> Api:
        """``one`` with what looks secret hidden."""
        kept = dict(one)
        if one.get("kind") == "ConfigMap":
            return {**kept, "data": self._value({"kind": "ConfigMap", **kept}).get("data")}
        if "message" in one:  # an event's
            kept["message"] = self._value(one["message"])
        metadata = one.get("metadata") or {}
        if metadata.get("annotations"):
            annotations = self._value(metadata["annotations"])
            kept["metadata"] = {**metadata, "annotations": annotations}
        for key in ("spec", "status"):
            if isinstance(one.get(key), dict):
                kept[key] = self._deep(one[key])
        return kept

    def _deep(self, found: Any) -> Any:
        if isinstance(found, list):
            return [self._deep(one) for one in found]
        if not isinstance(found, dict):
            return found
        return {
            key: self._value(value)
            if key in _IN_CONTAINER or key == "message"
            else self._deep(value)
            for key, value in found.items()
        }

    def _value(self, value: Any) -> Any:
        content = json.dumps(value, sort_keys=True)
        if content not in self.known:
            self.known[content] = self.redactor.value(value)
        return self.known[content]
