"""The last stage of every call: nothing leaves the tool belt but through here."""

import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from aiops.model.tool import ToolCall, ToolResult
from aiops.toolbelt.finish import Finished
from aiops.toolbelt.marks import suspicious
from aiops.toolbelt.redaction import Redactor
from aiops.toolbelt.results import Results

RUNS: Final = 1000
"""Runs whose keys are remembered; a run that comes back later gets another one."""
_KEY_BYTES: Final = 32
_MARK: Final = re.compile(r"<(secret|email|card|phone):[0-9a-f]{8}>")


def hidden(text: str, key: bytes) -> str:
    """``text`` without secrets, with marks that are the same whatever the key: only their kind.

    Args:
        key: random, at least 16 bytes.
    """
    return _MARK.sub(r"<\1>", Redactor(key).text(text))


class Finishing:
    """A Finish. Safe for many threads.

    Args:
        entropy: that many random bytes.
        results: keeps what is too big to be told.
    """

    def __init__(self, entropy: Callable[[int], bytes], results: Results) -> None:
        self._entropy, self._results = entropy, results
        self._runs: OrderedDict[str, Redactor] = OrderedDict()
        self._lock = Lock()

    def redact(self, text: str, run: str) -> str:
        """See Finish."""
        return self._of(run).text(text)

    def lasting(self, text: str) -> str:
        """See Finish: marks that say no more than their kind."""
        return hidden(text, self._entropy(_KEY_BYTES))

    def holds_secret(self, text: str) -> bool:
        """See Finish."""
        redactor = self._anew()
        redactor.text(text)
        return redactor.hidden["secret"] > 0

    def result(self, call: ToolCall, result: ToolResult) -> Finished:
        """See Finish."""
        run = call.caller.run
        redactor = self._of(run)
        summary, content = redactor.text(result.summary), redactor.json(result.content)
        marked = suspicious(summary) or suspicious(content)
        whole = self._results.told(run, content)
        words = self._results.told(run, summary or whole.text)
        if whole.blob is None:
            return Finished(words.text, content, words.blob, marked)
        said = f"{words.text}\nThis is not all: results.page and results.grep read {whole.blob}"
        return Finished(said, None, whole.blob, marked)

    def _anew(self) -> Redactor:
        return Redactor(self._entropy(_KEY_BYTES))

    def _of(self, run: str) -> Redactor:
        with self._lock:
            if run not in self._runs:
                self._runs[run] = self._anew()
                if len(self._runs) > RUNS:
                    self._runs.popitem(last=False)
            self._runs.move_to_end(run)
            return self._runs[run]
