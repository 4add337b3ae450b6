"""Cards say the same to people and to programs, and the truth about the data."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import InvalidData, UnknownName
from aiops_datasets import catalog
from aiops_datasets.cards import OWN, card, cards, parse
from aiops_datasets.describe import describe
from aiops_datasets.manifest import (
    front_matter,
    read_manifest,
    remote_files,
    stays_below,
)
from aiops_datasets.verify import digests, listed, measured

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("AIOPS_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="no data sets; set AIOPS_DATASETS")
PIN = {
    "url": "https://example.org/a/set.tar.gz",
    "sha256": "0" * 64,
    "size": 10,
    "archive": "tar",
    "unpack": "set",
}


def test_every_card_for_people_has_its_half_for_programs_and_they_agree() -> None:
    written = {path.parent.name: path for path in (REPOSITORY / "datasets").glob("*/README.md")}
    assert written.keys() == cards().keys()
    for name, path in written.items():
        assert parse(name, front_matter(path)) == card(name)


@pytest.mark.parametrize("name", sorted(cards()))
def test_a_card_names_a_commit_a_licence_and_what_may_be_done(name: str) -> None:
    found = card(name)
    assert found.repository == OWN or found.repository.startswith("https://github.com/")
    assert re.fullmatch(r"[0-9a-f]{12,40}", found.commit)
    assert re.fullmatch(r"[0-9a-f]{64}", found.sha256)
    assert found.licence
    if "none stated" in found.licence:
        assert found.redistribution == "evaluation only"


@needs_data
def test_cards_say_of_the_development_split_what_is_there() -> None:
    here = catalog.datasets(DATA)
    if sum(1 for _ in catalog.locations(DATA, "rcd-sockshop")) != card("rcd-sockshop").cases:
        pytest.skip(f"{DATA} is not the development split")
    sums = listed(DATA)
    assert set(here) == {name for name in cards() if card(name).repository != OWN}
    for name in here:
        assert sum(1 for _ in catalog.locations(DATA, name)) == card(name).cases
        assert sum(path.startswith(f"{name}/") for path in sums) == card(name).files
        assert digests(sums)[name] == card(name).sha256


@pytest.mark.parametrize("name", [n for n in cards() if card(n).repository == OWN])
def test_a_set_of_our_own_lies_in_the_repository_as_its_card_says(name: str) -> None:
    root = REPOSITORY / "datasets"
    sums = measured(root, name)
    assert len(sums) == card(name).files
    assert digests(sums)[name] == card(name).sha256
    assert sum(1 for _ in catalog.locations(root, name)) == card(name).cases


@needs_data
@pytest.mark.parametrize("name", ["rcd-sockshop", "petshop", "udevops-sockshop", "tvdiag-hotel"])
def test_a_set_has_the_modalities_of_its_card_and_no_unreadable_case(name: str) -> None:
    found = describe(DATA, name)
    assert found.unreadable == ()
    assert set(found.modalities) == set(card(name).modalities)
    assert sum(sum(own.values()) for own in found.fault_types.values()) == found.cases


def test_an_unknown_set_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(UnknownName, match="unknown data set 'nope'; choose from: causalrca"):
        card("nope")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"licence": None}, "'licence' is missing or no str"),
        ({"cases": "many"}, "'cases' is missing or no int"),
        ({"colour": "red"}, "'colour' is unknown"),
        ({"redistribution": "sure"}, "redistribution is one of"),
    ],
)
def test_a_card_with_a_wrong_key_is_refused_and_names_it(
    change: dict[str, Any], complaint: str
) -> None:
    table = front_matter(REPOSITORY / "datasets" / "petshop" / "README.md")
    with pytest.raises(InvalidData, match=complaint):
        parse("petshop", {**table, **change})


def test_a_manifest_reads_the_same_from_toml_json_and_a_cards_front_matter(tmp_path: Path) -> None:
    toml = "".join(f'{key} = "{value}"\n' for key, value in PIN.items() if key != "size")
    toml = f"[[fetch]]\nsize = 10\n{toml}"
    (tmp_path / "m.toml").write_text(toml)
    (tmp_path / "m.md").write_text(f"+++\n{toml}+++\n\n# A set\n")
    (tmp_path / "m.json").write_text(json.dumps({"fetch": [PIN]}))
    found = {read_manifest(tmp_path / f"m.{kind}") for kind in ("toml", "json", "md")}
    assert len(found) == 1
    ((file,),) = found
    assert file.filename == "set.tar.gz"
    assert file.size == 10


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"url": "file:///etc/passwd"}, "fetch 1: url must be http"),
        ({"url": "https://name:secret@example.org/a"}, "fetch 1: url must be http"),
        ({"url": "https://example.org/"}, "file name"),
        ({"url": "https://example.org:port/a"}, "fetch 1: url must be http"),
        ({"url": None}, "fetch 1: url must be http"),
        ({"sha256": None}, "a checksum is never left out"),
        ({"sha256": "abc"}, "64 hex digits"),
        ({"size": True}, "number of bytes"),
        ({"size": 0}, "number of bytes"),
        ({"archive": "rar"}, "archive must be one of none, tar, zip"),
        ({"unpack": "../elsewhere"}, "below the data folder"),
        ({"unpack": "/elsewhere"}, "below the data folder"),
        ({"unpack": ""}, "below the data folder"),
        ({"md5": "x"}, "md5 is not a key of a pin"),
    ],
)
def test_a_pin_that_cannot_be_used_is_refused_and_says_why(
    change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidData, match=complaint):
        remote_files("m.toml", {"fetch": [{**PIN, **change}]})


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("m.toml", "fetch = ", "is not TOML"),
        ("m.toml", "fetch = 3", "must be a list of tables"),
        ("m.toml", "fetch = [3]", "fetch 1 is not a table"),
        ("m.toml", "", "pins no file"),
        ("m.json", "{", "is not JSON"),
        ("m.json", "[]", "is not a table of keys"),
        ("m.json", "[" * 100_000, "is not JSON"),
        ("m.md", "# no front matter", "has no front matter"),
        ("m.txt", "", "is no manifest"),
    ],
)
def test_a_broken_manifest_is_refused_and_names_the_file(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidData, match=complaint) as refused:
        read_manifest(tmp_path / name)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_manifest_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="No such file"):
        read_manifest(tmp_path / "m.toml")
    (tmp_path / "m.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidData, match="not UTF-8"):
        read_manifest(tmp_path / "m.toml")


keys = st.sampled_from([*PIN, "other"])
junk = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("https://a/b")


@given(st.dictionaries(keys, junk))
def test_whatever_a_pin_holds_it_is_refused_by_name_or_safe_to_use(pin: dict[str, Any]) -> None:
    try:
        (file,) = remote_files("m", {"fetch": [{**PIN, **pin}]})
    except InvalidData as error:
        refused: str | None = str(error)
    else:
        refused = None
        assert file.size > 0
        assert file.filename
        assert stays_below(str(file.unpack))
    assert refused is None or refused.startswith("m: fetch 1: ")


@given(st.text(alphabet="a./\\:C\0", max_size=12))
def test_a_path_said_to_stay_below_a_folder_does(name: str) -> None:
    root = Path("/data/set")
    if stays_below(name):
        assert Path(os.path.normpath(root / name)).is_relative_to(root)
