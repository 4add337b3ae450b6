"""aiops investigate, as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from aiops.cli.faces import write_whole
from aiops.cli.investigate import register
from aiops.errors import InvalidInput, UnknownName

CASE = "synthetic:7:network_delay"


def app() -> typer.Typer:
    commands = typer.Typer()
    register(commands)
    commands.callback()(lambda: None)
    return commands


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app(), ["investigate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_it_prints_the_verdict_and_the_evidence() -> None:
    text = run(CASE)
    assert text.startswith("Root cause found: granite")
    assert "Evidence" in text
    assert "\x1b" not in text


def test_json_is_the_only_thing_on_standard_output() -> None:
    document = json.loads(run(CASE, "--json", "--top", "2"))
    assert document["schema"] == "aiops.report/1"
    assert len(document["root_causes"]) == 2


def test_another_method_can_be_asked_for() -> None:
    document = json.loads(run(CASE, "--json", "--method", "nsigma"))
    assert document["agreement"]["statistics"].startswith("nsigma")


def test_markdown_is_printed_and_html_is_written_beside_it(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run(CASE, "--markdown", "--html", str(page)).startswith("# Root cause found")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_an_unknown_method_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownName, match="choose from"):
        run(CASE, "--method", "oracle")


def test_a_folder_that_does_not_exist_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file") as caught:
        run(CASE, "--html", str(tmp_path / "nowhere" / "report.html"))
    assert "\n" not in str(caught.value)


def test_json_and_markdown_together_are_refused() -> None:
    with pytest.raises(InvalidInput, match="choose one"):
        run(CASE, "--json", "--markdown")


def test_a_write_that_fails_leaves_the_old_page_and_no_draft(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.mkdir()  # a folder cannot be replaced by a file
    (page / "kept").touch()
    with pytest.raises(InvalidInput, match="cannot write"):
        write_whole(page, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert (page / "kept").exists()


def test_a_terminal_without_unicode_gets_question_marks_not_a_traceback() -> None:
    program = (
        "import typer; from aiops.cli.investigate import register; app = typer.Typer(); "
        f"register(app); app(['{CASE}'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout.startswith("Root cause found: granite")
    assert done.stderr == ""


def test_the_command_is_light_to_import() -> None:
    heavy = ("numpy", "scipy", "statsmodels", "networkx", "pyarrow", "jinja2")
    program = (
        f"import sys, aiops.cli.investigate; print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
