"""Prompts that a client can offer its user; their words are in ``texts/*.md``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiops.errors import InvalidInput

_FOLDER: Final = Path(__file__).parent / "texts"
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True, slots=True)
class PromptText:
    """One prompt, with the one name that it is about."""

    name: str
    description: str
    argument: str
    meaning: str

    def filled(self, value: str | None) -> str:
        """Its text about ``value``.

        Raises:
            InvalidInput: it is no id: nothing else is put into a text that a model reads.
        """
        if value is None or not _ID.fullmatch(value):
            raise InvalidInput(f"prompt {self.name!r} needs {self.argument!r}: {self.meaning}")
        text = (_FOLDER / f"{self.name}.md").read_text("utf-8")
        return text.replace(f"{{{self.argument}}}", value)


PROMPTS: Final = (
    PromptText("investigate", "Find the cause of an incident", "incident", "the incident's id"),
    PromptText(
        "review-action", "Lay out a proposed change for a person", "approval", "the approval's id"
    ),
)
