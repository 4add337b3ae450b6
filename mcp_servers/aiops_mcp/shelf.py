"""What can be read over MCP beside tools: reports of investigations, and playbooks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import aiops
from aiops.app.rendering import markdown
from aiops.errors import NotKept
from aiops.ports.repositories import InvestigationRepo

SCHEME: Final = "aiops://"
TEMPLATES: Final = (
    ("reports/{id}", "report", "The report of an investigation, by its id"),
    ("playbooks/{domain}/{name}", "playbook", "A troubleshooting guide"),
)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LISTED: Final = 50
_PLAYBOOK_MOST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Volume:
    """One thing on the shelf."""

    uri: str
    title: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Answers by names it has itself listed; no part of an address becomes part of a path.

    Attributes:
        playbooks: folder of ``<domain>/<name>.md``.
    """

    reports: InvestigationRepo
    playbooks: Path

    def volumes(self) -> tuple[Volume, ...]:
        """The newest reports, and every playbook."""
        return (
            *(
                Volume(f"{SCHEME}reports/{each.id}", f"{each.about}, {each.at:%Y-%m-%d %H:%M} UTC")
                for each in self.reports.newest(limit=_LISTED)
            ),
            *(
                Volume(f"{SCHEME}{key}", key.removeprefix("playbooks/"))
                for key, _ in self._guides()
            ),
        )

    def read(self, uri: str) -> str:
        """Markdown.

        Raises:
            NotKept: there is nothing at this address.
        """
        key = unquote(uri.removeprefix(SCHEME))
        kind, _, name = key.partition("/")
        if not uri.startswith(SCHEME) or len(uri) > 300:
            raise NotKept("resource", uri[:100])
        if kind == "reports" and _ID.fullmatch(name):
            return markdown.render(self.reports.get(name).report)
        for known, path in self._guides():
            if known == key:
                return path.read_text("utf-8", "replace")[:_PLAYBOOK_MOST]
        raise NotKept("resource", uri[:100])

    def _guides(self) -> Iterator[tuple[str, Path]]:
        root = self.playbooks.resolve()
        for path in sorted(root.glob("*/*.md")):
            if path.resolve().is_relative_to(root):  # a link to elsewhere is not on the shelf
                yield f"playbooks/{path.parent.name}/{path.stem}", path


def shipped_playbooks() -> Path:
    """Where playbooks are: in a wheel inside the package, in a checkout beside it."""
    package = Path(aiops.__file__).parent
    inside = package / "_playbooks"
    return inside if inside.is_dir() else package.parent / "playbooks"
