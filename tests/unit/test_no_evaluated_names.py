"""No name of an evaluated system stands in code, prompts or configuration (design, principle 4).

The names are collected at run time from the recorded cases, and a few well-known ones stand here
for machines that have no recordings. How it is decided that a name is used:

- Python: a whole string literal that equals a name, wherever it stands. For plain words and common
  software (``PLAIN``) only where an entity is compared with it: ``==``, ``in``, ``match``,
  ``startswith`` and the like on something called entity, service, instance, component or node.
- Prompts, guides, templates: a name as a whole token; one that is a mere word ("orders") only in
  quotes or backticks, since prose may use the word.
- YAML and TOML: a key or value that equals a name, and the rule for prose on longer texts.
"""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from aiops_datasets.catalog import datasets, load_case, locations

REPOSITORY = Path(__file__).parents[2]
RECORDINGS = Path(os.environ.get("AIOPS_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
WATCHED = ("aiops", "tools", "mcp_servers", "playbooks")
CASES_A_SET = 2


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLAIN = words(
    "another entry frontend geo profile rate recommendation reservation search user "
    "consul invalid loadgenerator memcached mongodb rabbitmq redis"
)
WELL_KNOWN = words(
    "carts catalogue orders payment shipping queue-master front-end carts-db session-db "
    "cartservice checkoutservice productcatalogservice ts-order-service ts-travel-service "
    "PetSite petInfo payforadoption redisservice1 user frontend"
)
_OF_AN_ENTITY = re.compile(r"\b(entity|service|instance|component|node|workload|pod)s?(_name)?\b")
_COMPARING = {"startswith", "endswith", "removeprefix", "removesuffix", "fullmatch", "match"}
# A line of YAML: list dashes, a key, a value; no more of it is needed here.
_YAML = re.compile(r"""[\s-]*(?:["']?([^:"'#]*)["']?:(?:\s+|$))?["']?([^"'#]*)""")
_TOKEN = re.compile(r"[\w@/:.-]*\w")
_QUOTED = re.compile(r"[`\"']([\w@/:.-]+)[`\"']")


@cache
def evaluated_names() -> frozenset[str]:
    """Services, components and instances of every data set; the well-known ones without any."""
    if not RECORDINGS.is_dir():
        return WELL_KNOWN
    found = set(WELL_KNOWN)
    for dataset in datasets(RECORDINGS):
        for location in islice(locations(RECORDINGS, dataset), CASES_A_SET):
            window = load_case(location).data.window
            entities = [alert.entity for alert in window.alerts]
            for table in (window.metrics, window.load):
                entities += [] if table is None else [one.entity for one in table.series]
            entities += [] if window.graph is None else window.graph.nodes
            found |= {name for one in entities for name in (one.name, one.service_name)}
            found |= set() if window.logs is None else set(window.logs.services)
            found |= set() if window.spans is None else set(window.spans.services)
    return frozenset(found)


def used_in_python(source: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """(line, name) of every literal that counts."""
    tree = ast.parse(source)
    compared = {id(node) for node in _compared_with_an_entity(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.strip()
            if name in names and (name not in PLAIN or id(node) in compared):
                yield node.lineno, name


def _compared_with_an_entity(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        compares = (
            isinstance(node, ast.Compare | ast.Match)
            or (is_call and node.func.attr in _COMPARING)
            or (isinstance(node, ast.Subscript))
        )
        if compares and _OF_AN_ENTITY.search(ast.unparse(node)):
            yield from ast.walk(node)


def used_in_prose(text: str, names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """(line, name) of every token that counts."""
    for number, line in enumerate(text.splitlines(), start=1):
        tokens = {token for token in _TOKEN.findall(line) if not re.fullmatch("[a-z]+", token)}
        for name in sorted((tokens | set(_QUOTED.findall(line))) & (names - PLAIN)):
            yield number, name


def used_in_configuration(document: Any, names: frozenset[str]) -> Iterator[str]:
    """Every key or value that counts."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from used_in_configuration(key, names)
            yield from used_in_configuration(value, names)
    elif isinstance(document, list):
        for value in document:
            yield from used_in_configuration(value, names)
    elif isinstance(document, str):
        if document.strip() in names - PLAIN:
            yield document.strip()
        else:
            yield from (name for _, name in used_in_prose(document, names))


def uses(path: Path, names: frozenset[str]) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        found = [f"{line}: {name!r}" for line, name in used_in_python(text, names)]
    elif path.suffix == ".toml":
        found = [repr(name) for name in used_in_configuration(tomllib.loads(text), names)]
    elif path.suffix in {".yaml", ".yml"}:
        scalars = [scalar for line in text.splitlines() for scalar in _YAML.match(line).groups("")]
        found = [repr(name) for name in used_in_configuration(scalars, names)]
    else:
        found = [f"{line}: {name!r}" for line, name in used_in_prose(text, names)]
    return [f"{path.relative_to(REPOSITORY)}:{one}" for one in found]


def watched() -> list[Path]:
    kinds = {".py", ".md", ".txt", ".j2", ".html", ".js", ".css", ".toml", ".yaml", ".yml", ".json"}
    paths = (path for folder in WATCHED for path in (REPOSITORY / folder).rglob("*"))
    return sorted(path for path in paths if path.is_file() and path.suffix in kinds)


def test_the_names_of_every_kind_of_system_are_known():
    names = evaluated_names()
    assert names >= WELL_KNOWN
    if RECORDINGS.is_dir():
        assert len(names) > 200


def test_the_code_that_is_watched_is_there():
    assert REPOSITORY / "aiops" / "analyze" / "ranker.py" in watched()


def test_no_name_of_an_evaluated_system_stands_in_what_ships():
    assert [one for path in watched() for one in uses(path, evaluated_names())] == []


@pytest.mark.parametrize(
    "source",
    [
        "x = 'carts'",
        "x = {'cart': ['front-end']}",
        "f(name='ts-order-service')",
        "if entity.name == 'user': pass",
        "if 'user' in service_name: pass",
        "if one.entity.service_name in {'rate', 'user'}: pass",
        "blame = entity.name.startswith('frontend')",
        "match entity.name:\n    case 'user': pass",
        "weight = table[service] if services['user'] else 0",
    ],
)
def test_a_name_in_code_is_found(source):
    assert list(used_in_python(source, WELL_KNOWN | {"rate"}))


@pytest.mark.parametrize(
    "source",
    [
        "role = 'user'",
        "if message.role == 'user': pass",
        "x = 'rate'",
        "# carts\nx = 'cartsx'",
        "def f():\n    'Shipping it to front-end engineers.'",
    ],
)
def test_a_plain_word_that_is_about_nobody_is_let_pass(source):
    assert not list(used_in_python(source, WELL_KNOWN | {"rate"}))


def test_prose_may_use_a_word_but_not_quote_a_service():
    names = WELL_KNOWN
    assert not list(used_in_prose("three orders of magnitude; the user, the frontend", names))
    assert list(used_in_prose("restart `orders` first", names)) == [(1, "orders")]
    assert list(used_in_prose("ok\nlook at front-end.", names)) == [(2, "front-end")]
    assert not list(used_in_prose("the front-ends", names))


def test_configuration_is_searched_in_keys_and_values():
    document = tomllib.loads("[carts]\nx = ['a', 'ts-order-service', 'run on `payment` please']")
    assert list(used_in_configuration(document, WELL_KNOWN)) == [
        "carts",
        "ts-order-service",
        "payment",
    ]
    assert not list(used_in_configuration({"role": "user", "n": 3}, WELL_KNOWN))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("  - orders", ["orders"]),
        ("service: 'carts'  # a comment", ["carts"]),
        ("carts:", ["carts"]),
        ("- target: front-end", ["front-end"]),
        ("# orders of magnitude", []),
        ("note: three orders of magnitude", []),
        ("role: user", []),
        ("", []),
    ],
)
def test_yaml_is_searched_line_by_line(tmp_path, monkeypatch, line, found):
    monkeypatch.setattr(f"{__name__}.REPOSITORY", tmp_path)
    guide = tmp_path / "guide.yaml"
    guide.write_text(line)
    assert uses(guide, WELL_KNOWN) == [f"guide.yaml:{name!r}" for name in found]
