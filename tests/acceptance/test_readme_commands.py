"""Every command that README.md and docs/ print is one that works, exactly as it stands there.

A block that must not run has ``<!-- not run: reason -->`` on the line above it; its commands are
still checked against what ``aiops`` and ``make`` know. A command that fails on purpose has
``<!-- exit: 2 -->`` there. Blocks in ``sh`` need a running service or a shell: test_serve_documents
runs them, and tests/contract those of the pages on webhooks and changes.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("AIOPS_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
AIOPS = Path(sys.executable).with_name("aiops")
DOCUMENTS = [
    name
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    if "```" in path.read_text(encoding="utf-8")
    for name in [str(path.relative_to(REPOSITORY))]
]
LIVE = "it needs a running service, which another test has"
# The whole table takes minutes; a command that names no set runs on a small one here.
SMALL_SET = ["--datasets", "causalrca-sockshop"]

_FENCE = re.compile(r"^\s*```(\w*)\s*$")
_NOT_RUN = re.compile(r"<!-- not run: (\S.*) -->")
_EXIT = re.compile(r"<!-- exit: (\d+) -->")


class NotRunnable(Exception):
    """A document prints a command that this test does not know how to run."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a document.

    Attributes:
        line: its line in the document, from 1.
        words: as a shell would split it, without comments.
        not_run: the reason given; None where it is to be run.
        exit: the code it must leave.
    """

    line: int
    words: tuple[str, ...]
    not_run: str | None = None
    exit: int = 0

    @property
    def path(self) -> list[str]:
        """The words before the first option or argument that is no command's name."""
        return [word for word in self.words[1:3] if re.fullmatch(r"[a-z]+", word)]


def commands(text: str) -> list[Command]:
    """The commands in the ``console``, ``bash`` and ``sh`` blocks of a document.

    Raises:
        NotRunnable: something other than ``aiops`` and ``make``, or a line only a shell can run.
    """
    found: list[Command] = []
    language: str | None = None
    above, held, first = "", "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence:
            language = None if language is not None else fence[1]
            if language is None:
                above = ""
        elif language is None:
            above = line if line.strip() else above if above.startswith("<!--") else ""
        elif language in ("bash", "sh", "shell") or (
            language == "console" and (held or line.startswith("$ "))
        ):
            first = first if held else number
            held += line.removeprefix("$ ")
            mark = f"<!-- not run: {LIVE} -->" if language == "sh" else above
            if held.endswith("\\"):
                held = held[:-1]
                continue
            found += _command(held, first, mark)
            held = ""
    return found


def _command(text: str, line: int, above: str) -> list[Command]:
    words = shlex.split(text, comments=True)
    if not words:
        return []
    not_run, code = _NOT_RUN.search(above), _EXIT.search(above)
    plain = shlex.shlex(text, posix=True, punctuation_chars=True)
    plain.whitespace_split = True
    shell = [token for token in plain if token and set(token) <= set("|&;<>()")]
    if not not_run and (words[0] not in ("aiops", "make") or shell):
        raise NotRunnable(f"line {line}: {text.strip()!r}; mark it <!-- not run: reason -->")
    return [
        Command(line, tuple(words), not_run[1] if not_run else None, int(code[1]) if code else 0)
    ]


def read(document: str) -> list[Command]:
    return commands((REPOSITORY / document).read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path, sqlite_url: str) -> Path:
    """A folder that has the data where a checkout has them, and in which a service has run."""
    stand = tmp_path / "checkout"
    stand.mkdir()
    Path(sqlite_url.removeprefix("sqlite:///")).rename(stand / "aiops.db")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "datasets").symlink_to(DATA)
    return stand


def run(words: tuple[str, ...] | list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(AIOPS), *words[1:]],
        cwd=folder,
        env={"PATH": f"{AIOPS.parent}{os.pathsep}{os.defpath}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_of_a_document_run_as_printed(document: str, checkout: Path) -> None:
    for command in read(document):
        if command.not_run or command.words[0] == "make":
            continue
        words = list(command.words)
        if "eval" in words and "--datasets" not in words:
            words += SMALL_SET
        if {"eval", "datasets"} & set(words[1:2]) and not DATA.is_dir():
            pytest.skip("no public data sets here; set AIOPS_DATASETS to their folder")
        done = run(words, checkout)
        where = f"{document}:{command.line}: {shlex.join(command.words)}"
        assert done.returncode == command.exit, f"{where}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr, where


@pytest.fixture(scope="module")
def help_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """What a command's ``--help`` shows; each is asked once for all documents."""
    folder = tmp_path_factory.mktemp("help")

    @cache
    def shown(*path: str) -> str:
        done = run(["aiops", *path, "--help"], folder)
        assert done.returncode == 0, f"{shlex.join(path)}\n{done.stderr}"
        return done.stdout

    return shown


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_option_that_is_printed_exists(
    document: str, help_of: Callable[..., str]
) -> None:
    targets = set(
        re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)
    )
    for command in read(document):
        where = f"{document}:{command.line}: {shlex.join(command.words)}"
        if command.words[0] == "make":
            assert set(command.words[1:]) <= targets, where
        if command.words[0] != "aiops":
            continue
        shown = help_of(*command.path)
        options = [word.split("=")[0] for word in command.words if word.startswith("--")]
        missing = [option for option in options if option not in shown]
        assert not missing, f"{where}: no option {missing}"


def test_make_in_a_document_is_left_to_ci_and_only_what_ci_runs_is_not_marked() -> None:
    ci = (REPOSITORY / ".ci" / "run").read_text()
    for document in DOCUMENTS:
        for command in read(document):
            if command.words[0] == "make" and command.not_run is None:
                for target in command.words[1:]:
                    assert re.search(rf"^make .*\b{target}\b", ci, flags=re.MULTILINE), document


SAMPLE = """
Text with `aiops inline`.

```bash
aiops rca synthetic:7 --json   # a comment

aiops eval rca \\
    --data x
```

<!-- not run: needs a cluster -->

```bash
aiops lab up | tee log
```

<!-- exit: 2 -->
```console
$ aiops rca nothing
aiops: no case
```

```json
{"not": "a command"}
```

```sh
curl "$AIOPS" | head
```
"""


def test_commands_are_read_from_their_blocks_with_their_marks() -> None:
    assert commands(SAMPLE) == [
        Command(5, ("aiops", "rca", "synthetic:7", "--json")),
        Command(7, ("aiops", "eval", "rca", "--data", "x")),
        Command(14, ("aiops", "lab", "up", "|", "tee", "log"), not_run="needs a cluster"),
        Command(19, ("aiops", "rca", "nothing"), exit=2),
        Command(28, ("curl", "$AIOPS", "|", "head"), not_run=LIVE),
    ]


def test_a_document_without_commands_has_none() -> None:
    assert commands("# Title\n\nNothing to run.\n") == []


def test_a_mark_holds_for_one_block_only() -> None:
    text = "<!-- not run: x -->\n```bash\naiops a\n```\n```bash\naiops b\n```\n"
    assert [command.not_run for command in commands(text)] == ["x", None]


@pytest.mark.parametrize(
    "line", ["curl https://example.org", "aiops rca x | head", "aiops demo && ls", "aiops a > f"]
)
def test_a_command_that_nobody_knows_how_to_run_is_refused(line: str) -> None:
    with pytest.raises(NotRunnable, match="line 2"):
        commands(f"```bash\n{line}\n```\n")
