"""Payloads of every sender of changes, and the changes they are: ``<case>.changes.json``.

The payloads are ours, in the form that the senders' documentation gives, and received at one time.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from golden_payloads import RECEIVED, Golden
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadPayload, InvalidInput
from aiops.ingest.changes import argocd, generic, github, gitlab
from aiops.ingest.changes.mapped import mapped
from aiops.ingest.changes.names import ServiceNames, load_names, read_names
from aiops.model.change import Change
from aiops.ports.webhook import ChangeParser, Push

GOLDEN = Golden(Path(__file__).parents[1] / "golden" / "changes", "changes")
CASES = GOLDEN.cases
PARSERS: dict[str, ChangeParser] = {
    "argocd": argocd.parse,
    "changes": generic.parse,
    "github": github.parse,
    "gitlab": gitlab.parse,
}


def parsed(case: str) -> tuple[Change, ...]:
    return PARSERS[case.split("/")[0]](GOLDEN.pushed(case))


def written(change: Change) -> dict[str, Any]:
    """As JSON, with what is at its default left out."""
    document = asdict(change) | {"at": change.at.isoformat()}
    document["entity"] = {k: v for k, v in asdict(change.entity).items() if v is not None}
    return {name: value for name, value in document.items() if value not in (None, (), "")}


@pytest.mark.parametrize("case", CASES)
def test_a_payload_becomes_the_changes_beside_it(case):
    assert [written(change) for change in parsed(case)] == GOLDEN.outcome(case)


def test_nothing_lies_beside_a_payload_that_is_not_there_and_every_sender_has_some():
    assert GOLDEN.beside == set(CASES)
    assert {case.split("/")[0] for case in CASES} == set(PARSERS)


@pytest.mark.parametrize("sender", sorted(PARSERS))
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_payload_with_anything_in_it_replaced_is_changes_or_refused(sender, data):
    push = GOLDEN.replaced(sender, data)
    try:
        found = PARSERS[sender](push)
    except BadPayload:
        return
    for change in found:
        assert change.entity.name
        assert change.at <= RECEIVED
        assert len(change.description) <= 300
        repr(change).encode()


@pytest.mark.parametrize("sender", sorted(PARSERS))
@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(sender, body):
    try:
        PARSERS[sender](Push("hook", body, {"x-github-event": "push"}, RECEIVED))
    except BadPayload as refused:
        said = refused
    else:
        return
    assert said.reason


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'[{"service": "web"}, 7]', "/1"),
        (b'[{"service": "web"}, {"kind": "flag"}]', "/1/service"),
        (b'{"changes": [{"service": "web", "kind": "magic"}]}', "/changes/0/kind"),
        (b'{"service": "web", "at": "soon"}', "/at"),
        (b"7", "/"),
    ],
)
def test_a_change_that_cannot_be_understood_is_refused_with_its_place(body, place):
    with pytest.raises(BadPayload) as refused:
        generic.parse(Push("hook", body, {}, RECEIVED))
    assert refused.value.place == place


NAMES = read_names("""
services:
  acme/web: storefront
  acme/shop/web: [web, cart]
  acme/web@production: [storefront, checkout]
environments: [production]
""")


def test_a_mapping_says_whose_services_a_repository_is_the_environment_first():
    assert NAMES.services("acme/web") == ("storefront",)
    assert NAMES.services("acme/web", "production") == ("storefront", "checkout")
    assert NAMES.services("acme/other", "production") == ("other",)
    assert NAMES.services("acme/web", "staging") == ()
    assert ServiceNames().services("acme/web", "staging") == ("web",)


def test_a_mapped_parser_tells_a_change_of_every_service():
    parser = mapped("gitlab", NAMES)
    assert [c.entity.name for c in parser(GOLDEN.pushed("gitlab/deployment"))] == ["web", "cart"]
    with pytest.raises(InvalidInput, match="'pigeon' takes no mapping"):
        mapped("pigeon", NAMES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line 1: not YAML"),
        ("[]", "^$"),
        ("[1]", "keys are expected"),
        ("repositories: {}", "unknown key 'repositories'"),
        ("services: [a]", "key 'services'"),
        ("services: {a: 7}", "key 'services.a'"),
        ("environments: {a: b}", "key 'environments'"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_by_its_key(text, said):
    if said == "^$":
        assert read_names(text) == ServiceNames()
        return
    with pytest.raises(InvalidInput, match=said):
        read_names(text)


def test_a_mapping_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"nowhere.yaml: No such file"):
        load_names(tmp_path / "nowhere.yaml")
