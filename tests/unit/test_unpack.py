"""Archives that nobody vouches for: what is refused, and that nothing is written outside."""

import tarfile
from pathlib import Path
from typing import cast

import pytest
from archives import files_below, member, packed, zip_link, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_datasets.manifest import ArchiveKind, stays_below
from aiops_datasets.unpack import UnsafeArchive, unpack


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        ("tar", member("link", tarfile.SYMTYPE, "/etc/passwd"), "'link' is a link or a device"),
        ("tar", member("link", tarfile.LNKTYPE, "../x"), "'link' is a link or a device"),
        ("tar", member("pipe", tarfile.FIFOTYPE), "'pipe' is a link or a device"),
        ("tar", packed({"/etc/x": b""}), "climbs out"),
        ("tar", packed({"a": b"1" * 300_000})[:200], "is broken"),
        ("tar", b"no archive at all", "is broken"),
        ("tar", packed({"a": b"", "a/b": b""}), "cannot be unpacked"),
        ("zip", zip_link(), "'link' is a link or a device"),
        ("zip", zipped({"../x": b""}), "climbs out"),
        ("zip", zipped({"a": b"1" * 500})[:-30], "is broken"),
        ("zip", b"no archive at all", "is broken"),
        ("zip", zipped({"bomb": b"0" * 3_000_000}), "unpacks to more than 2,000,000 bytes"),
        ("tar", packed({"bomb": b"0" * 3_000_000}), "unpacks to more than 2,000,000 bytes"),
    ],
    # Archives hold the time they were made: named by content, they would differ by process.
    ids=[
        *("tar-symlink", "tar-hardlink", "tar-pipe", "tar-absolute", "tar-cut", "tar-no-archive"),
        *("tar-file-as-folder", "zip-symlink", "zip-climbing", "zip-cut", "zip-no-archive"),
        *("zip-bomb", "tar-bomb"),
    ],
)
def test_an_archive_not_to_be_trusted_is_refused_and_nothing_is_kept(
    tmp_path: Path, kind: ArchiveKind, content: bytes, complaint: str
) -> None:
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(UnsafeArchive, match=complaint) as refused:
        unpack(tmp_path / "archive", kind, tmp_path / "out", max_bytes=2_000_000)
    assert files_below(tmp_path) == ["archive"]
    assert not (tmp_path / "out").exists()
    assert "\n" not in str(refused.value)


segments = st.sampled_from(["a", "b", "..", ".", "", "c.csv", "C:", "\\", "~"])

paths = st.lists(segments, min_size=1, max_size=4).map("/".join).filter(bool)


@settings(max_examples=100, deadline=None)
@given(names=st.lists(paths, max_size=4))
def test_no_archive_writes_outside_its_folder(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    root = tmp_path_factory.mktemp("archive")
    for kind, content in (
        ("tar", packed(dict.fromkeys(names, b"x"), "")),
        ("zip", zipped(dict.fromkeys(names, b"x"))),
    ):
        (root / "archive").write_bytes(content)
        try:
            unpack(root / "archive", cast("ArchiveKind", kind), root / "out" / kind)
        except UnsafeArchive:
            assert not (root / "out" / kind).exists()
        else:
            assert all(stays_below(name) for name in names)
    outside = [name for name in files_below(root) if not name.startswith("out/")]
    assert outside == ["archive"]


TEXT = bytes(range(256)) * 12

WHOLE = [
    *(("tar", packed({"a/b": TEXT, "c": b"2"}, how)) for how in ("", "gz", "bz2", "xz")),
    ("zip", zipped({"a/b": TEXT, "c": b"2"})),
]


@settings(max_examples=400, deadline=None)
@given(
    whole=st.sampled_from(WHOLE),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
    length=st.floats(0.2, 1),
)
def test_a_damaged_archive_is_unpacked_or_refused_and_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory,
    whole: tuple[ArchiveKind, bytes],
    damage: list[tuple[float, int]],
    length: float,
) -> None:
    kind, content = whole
    broken = bytearray(content)
    for place, value in damage:
        broken[min(int(place * len(broken)), len(broken) - 1)] = value
    root = tmp_path_factory.mktemp("damaged")
    (root / "archive").write_bytes(broken[: round(length * len(broken))])
    refused = False
    try:
        unpack(root / "archive", kind, root / "out")
    except UnsafeArchive:
        refused = True
    assert (root / "out").exists() is not refused
