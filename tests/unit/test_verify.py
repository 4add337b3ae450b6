"""Verification names every file that is not as listed."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import InvalidData
from aiops_datasets.verify import digests, listed, verify

FILES = {"one/a.csv": b"1\n", "one/sub/b.csv": b"2\n", "two/c.csv": b"3\n", "index.csv": b"4\n"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = []
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (tmp_path / "SHA256SUMS").write_text("".join(lines))
    return tmp_path


def test_an_untouched_folder_is_intact(data: Path) -> None:
    found = verify(data)
    assert found.intact
    assert found.matching == 4
    assert found.unlisted == ()


def test_a_file_that_differs_is_named_even_if_its_size_is_the_same(data: Path) -> None:
    (data / "one/a.csv").write_bytes(b"9\n")
    found = verify(data)
    assert not found.intact
    assert found.differing == ("one/a.csv",)


def test_a_missing_file_is_named_and_so_is_a_folder_in_its_place(data: Path) -> None:
    (data / "one/a.csv").unlink()
    (data / "two/c.csv").unlink()
    (data / "two/c.csv").mkdir()
    found = verify(data)
    assert not found.intact
    assert found.missing == ("one/a.csv", "two/c.csv")


def test_an_unlisted_file_is_named_and_is_no_failure(data: Path) -> None:
    (data / "two/extra.csv").write_bytes(b"")
    found = verify(data)
    assert found.unlisted == ("two/extra.csv",)
    assert found.intact


def test_one_set_is_checked_without_the_others(data: Path) -> None:
    (data / "two/c.csv").unlink()
    found = verify(data, "one")
    assert found.intact
    assert found.matching == 2


def test_progress_counts_to_the_number_of_files(data: Path) -> None:
    seen: list[tuple[int, int]] = []
    verify(data, on_file=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_digest_of_a_set_changes_with_any_of_its_files_and_with_no_other(data: Path) -> None:
    before = digests(listed(data))
    assert before.keys() == {"one", "two"}
    sums = listed(data)
    sums["one/a.csv"] = "f" * 64
    after = digests(sums)
    assert after["one"] != before["one"]
    assert after["two"] == before["two"]


def test_the_digest_of_a_set_does_not_depend_on_the_order_of_the_list(data: Path) -> None:
    sums = listed(data)
    assert digests(dict(reversed(sums.items()))) == digests(sums)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("not a checksum", "row 5: is not"),
        ("0" * 63 + "  a", "row 5: is not"),
        ("0" * 64 + "  ../climbs", "leaves the folder"),
        ("0" * 64 + "  /absolute", "leaves the folder"),
        ("0" * 64 + "  one/a.csv", "lists 'one/a.csv' twice"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_and_numbered(
    data: Path, line: str, complaint: str
) -> None:
    with (data / "SHA256SUMS").open("a") as sums:
        sums.write(line + "\n")
    with pytest.raises(InvalidData, match=complaint):
        verify(data)


def test_a_folder_without_checksums_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="point --data at the data folder"):
        verify(tmp_path)


def test_a_set_that_is_not_listed_is_refused(data: Path) -> None:
    with pytest.raises(InvalidData, match="lists no file of three"):
        verify(data, "three")


names = st.text(st.characters(codec="utf-8", exclude_characters="\n\0\\:"), min_size=1)


@given(st.dictionaries(names, st.binary(min_size=32, max_size=32), min_size=1), st.booleans())
def test_what_sha256sum_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, sums: dict[str, bytes], binary: bool
) -> None:
    root = tmp_path_factory.mktemp("sums")
    wanted = {f"set/{name}": digest.hex() for name, digest in sums.items() if ".." not in name}
    mark = " *" if binary else "  "
    text = "".join(f"{digest}{mark}{name}\n" for name, digest in wanted.items())
    (root / "SHA256SUMS").write_bytes(text.encode())
    if wanted:
        assert listed(root) == wanted
