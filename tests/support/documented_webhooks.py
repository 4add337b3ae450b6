"""A page of docs/ about webhooks: its settings, and its lines of curl as a shell runs them."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from aiops.ports.webhook import Push
from aiops.settings import WebhookSettings

NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)


class Page:
    """What the page says.

    Attributes:
        webhooks: of its TOML, by name.
        tries: its shell lines, each a curl; what the first block exports stands before each.
    """

    def __init__(self, name: str) -> None:
        page = Path(__file__).parents[2] / "docs" / name
        self._text = page.read_text(encoding="utf-8")
        self.webhooks = {
            name: WebhookSettings(**table)
            for block in self.blocks("toml")
            for name, table in tomllib.loads(block)["webhooks"].items()
        }
        self._exports, *self.tries = self.blocks("sh")

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", self._text, re.MULTILINE | re.DOTALL)

    def sent_by(self, block: str, folder: Path) -> Push:
        """What curl is asked to send; a program of that name is put into the folder."""
        curl = folder / "curl"
        curl.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
        curl.chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", "-euc", self._exports + block],
            env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        arguments = json.loads(done.stdout)
        pairs = list(pairwise(arguments))
        said = [text.split(": ", 1) for flag, text in pairs if flag == "-H"]
        headers = {name.lower(): value for name, value in said}
        (address,) = [text for text in arguments if text.startswith("http://127.0.0.1")]
        (body,) = [text for flag, text in pairs if flag == "-d"]
        return Push(address.rsplit("/webhooks/", 1)[1], body.encode(), headers, NOW)


def named(block: str) -> str:
    """The webhook that a block of the page posts to."""
    found = re.search(r"/webhooks/(\w+)", block)
    assert found, f"posts to no webhook: {block}"
    return found[1]
