"""A big result is told in short with its facts, kept whole, and read on by its own run only."""

import asyncio
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.telling.facts import facts_of
from aiops.analyze.telling.shapes import shaped, tokens
from aiops.errors import ToolFailed
from aiops.model.tool import Caller, ToolResult
from aiops.ports.tools import Reading, ToolContext
from aiops.store.repositories import MemoryBlobs
from aiops.toolbelt.results import Results, lines_of

LOG = "\n".join(
    [
        *(
            f"2026-03-01T10:00:{n % 60:02d}Z INFO served /items/{n} in {n % 7} ms"
            for n in range(3000)
        ),
        "2026-03-01T10:01:00Z ERROR dial tcp 10.0.0.7:5432: ECONNREFUSED, exit code 137",
        "2026-03-01T10:02:00Z INFO the last line",
    ]
)
PODS = [{"name": f"p-{n}", "phase": "Running" if n % 9 else "Failed"} for n in range(500)]
TABLE = json.dumps({"cluster": "c1", "pods": PODS})
DOCUMENTS = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
).map(json.dumps)


def context(run: str) -> ToolContext:
    return ToolContext("c1", "k1", Caller("agent", "observer", run), lambda _: None)


def read(tool: Reading, run: str, **arguments: Any) -> ToolResult:
    jsonschema.validate(arguments, json.loads(tool.spec.arguments))
    result = asyncio.run(tool.read(arguments, context(run)))
    jsonschema.validate(json.loads(result.content), json.loads(tool.spec.result))
    return result


def test_a_small_result_is_told_as_it_is() -> None:
    told = Results(MemoryBlobs()).told("r1", "all is well")
    assert (told.text, told.blob, told.tokens) == ("all is well", None, 3)


def test_a_log_is_told_by_its_statements_and_no_error_is_lost() -> None:
    told = Results(MemoryBlobs(), 500).told("r1", LOG)
    assert told.blob is not None
    assert tokens(told.text) <= 500 < told.tokens
    assert "3000x 2026-03-01T10:00:00Z INFO served" in told.text
    assert "the last line" in told.text
    assert "ECONNREFUSED" in told.text
    assert "exit code 137" in told.text


def test_a_table_is_told_by_its_columns_and_first_rows() -> None:
    text = shaped(TABLE, 400)
    assert tokens(text) <= 400
    assert "500 rows" in text
    assert 'phase: "Running" (444x), "Failed" (56x)' in text
    assert 'cluster: "c1"' in text


def test_nested_json_is_told_by_its_shape() -> None:
    text = shaped(json.dumps({"spec": {"items": list(range(5000)), "name": "web"}}), 200)
    assert "items: list of 5,000" in text
    assert 'name: "web"' in text


def test_prose_is_told_by_its_beginning_and_end() -> None:
    text = shaped("\n".join(f"paragraph {n} of it" for n in range(1000)), 400)
    assert "paragraph 0 of it" in text
    assert "lines left out" in text


@given(st.text(max_size=3000) | DOCUMENTS, st.integers(60, 400))
def test_nothing_is_told_in_more_tokens_than_allowed(text: str, limit: int) -> None:
    assert tokens(shaped(text, limit)) <= limit


def test_facts_are_cut_out_as_they_stand() -> None:
    text = (
        "2026-03-01T10:00:00.5Z OOMKilled, exit code 137, limit 512Mi, took 12.5 ms > 10ms"
        " at 93.2%, trace 4bf92f3577b34da6a3ce929d0e0e4736, TimeoutException, status=503"
    )
    found = {one.kind: [fact for fact, _ in one.told] for one in facts_of(text)}
    assert {"exit code 137", "TimeoutException", "status=503"} <= set(found["errors"])
    assert "OOMKilled" in found["errors"]
    assert {"12.5 ms", "93.2%"} <= set(found["quantities"])
    assert {"limit 512Mi", "> 10ms"} <= set(found["thresholds"])
    assert found["ids"] == ["4bf92f3577b34da6a3ce929d0e0e4736"]
    assert found["times"] == ["2026-03-01T10:00:00.5Z"]


def test_a_kept_result_is_read_page_by_page_to_its_end() -> None:
    results = Results(MemoryBlobs(), 100)
    digest = results.told("r1", LOG).blob
    page = results.tools()[0]
    lines: list[str] = []
    start: int | None = 1
    while start is not None:
        content = json.loads(read(page, "r1", digest=digest, start=start, limit=200).content)
        lines += [line["text"] for line in content["lines"]]
        start = content["next"]
    assert "\n".join(lines) == LOG


def test_a_text_is_found_in_a_kept_result_with_its_line() -> None:
    results = Results(MemoryBlobs(), 100)
    digest = results.told("r1", LOG).blob
    found = json.loads(read(results.tools()[1], "r1", digest=digest, text="econnrefused").content)
    assert [line["number"] for line in found["lines"]] == [3001]
    assert (found["total"], found["next"]) == (1, None)


def test_json_on_one_line_is_numbered_as_it_would_be_laid_out() -> None:
    assert lines_of('{"a":[1,2]}') == ["{", ' "a": [', "  1,", "  2", " ]", "}"]
    assert [len(line) for line in lines_of("x" * 4_500)] == [1000, 1000, 1000, 1000, 500]


def test_another_run_cannot_open_it_nor_learn_that_it_is_there() -> None:
    blobs = MemoryBlobs()
    results = Results(blobs, 100)
    digest = results.told("r1", LOG).blob
    assert digest is not None
    foreign = blobs.put(b"kept by somebody else")
    refused = []
    for run, wanted in (("r2", digest), ("r1", foreign), ("r1", "0" * 64)):
        for tool in results.tools():
            more = {"text": "a"} if tool.spec.name == "results.grep" else {}
            with pytest.raises(ToolFailed) as failed:
                read(tool, run, digest=wanted, **more)
            refused.append(str(failed.value).replace(wanted, ""))
    assert len(set(refused)) == 1


def test_a_result_is_read_on_after_a_restart_by_its_own_run_only() -> None:
    blobs = MemoryBlobs()
    digest = Results(blobs, 100).told("r1", LOG).blob
    restarted = Results(blobs, 100)
    assert restarted.whole("r1", str(digest)) == LOG
    with pytest.raises(ToolFailed):
        restarted.whole("r2", str(digest))


@given(st.text(min_size=2_000, max_size=6_000))
def test_a_page_of_a_big_result_is_never_big_itself(text: str) -> None:
    results = Results(MemoryBlobs(), 2_000)
    digest = results.told("r1", text * 5).blob
    if digest is not None:
        page = read(results.tools()[0], "r1", digest=digest, limit=200)
        assert results.told("r1", page.content).blob is None
