"""Downloads against a real server on this machine: cut, resumed, lied to, redirected, too slow."""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from archives import files_below, packed, zipped
from download_site import CONTENT, Site, running_site

from aiops_datasets.fetch import ChecksumMismatch, Fetched, FetchFailed, fetch
from aiops_datasets.manifest import RemoteFile
from aiops_datasets.unpack import UnsafeArchive


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with running_site() as started:
        yield started


def get(file: RemoteFile, root: Path, **options: Any) -> Fetched:
    (done,) = fetch([file], root, pause_s=0.01, **options)
    return done


def test_a_file_arrives_whole_in_its_folder_and_nothing_else_is_left(
    site: Site, tmp_path: Path
) -> None:
    seen: list[int] = []
    done = get(site.pin(), tmp_path, on_progress=lambda _, received: seen.append(received))
    assert done.status == "fetched"
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_cut_is_resumed_from_where_it_was_and_asks_for_the_same_version(
    site: Site, tmp_path: Path
) -> None:
    site.cut_after = [300_000, 200_000]
    get(site.pin(), tmp_path)
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT
    assert "Range" not in site.asked[0]
    assert [asked.get("Range") for asked in site.asked[1:]] == ["bytes=300000-", "bytes=500000-"]
    assert [asked.get("If-Range") for asked in site.asked[1:]] == ['"one"', '"one"']


def test_a_second_run_resumes_what_the_first_left(site: Site, tmp_path: Path) -> None:
    site.cut_after = [400_000]
    site.failures = []
    with pytest.raises(FetchFailed, match="run again to resume"):
        get(site.pin(), tmp_path, retries=-1)
    assert not (tmp_path / "set").exists()
    get(site.pin(), tmp_path)
    assert site.asked[-1]["Range"] == "bytes=400000-"
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT


def test_a_version_that_changed_after_the_cut_is_started_again(site: Site, tmp_path: Path) -> None:
    old = RemoteFile(site.url(), site.pin().sha256, len(CONTENT), "none", PurePosixPath("set"))
    site.content, site.cut_after = b"x" * len(CONTENT), [300_000]
    with pytest.raises(FetchFailed):
        get(old, tmp_path, retries=-1)
    site.content, site.etag = CONTENT, '"two"'
    get(old, tmp_path)
    assert site.asked[-1]["If-Range"] == '"one"'
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT


def test_a_weak_etag_is_not_used_to_resume(site: Site, tmp_path: Path) -> None:
    site.etag, site.cut_after = 'W/"one"', [300_000]
    get(site.pin(), tmp_path)
    assert site.asked[1]["Range"] == "bytes=300000-"
    assert "If-Range" not in site.asked[1]


def test_a_server_that_ignores_range_is_read_from_the_start(site: Site, tmp_path: Path) -> None:
    site.ranges, site.cut_after = False, [300_000]
    get(site.pin(), tmp_path)
    assert site.asked[1]["Range"] == "bytes=300000-"
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT


def test_another_range_than_asked_for_is_not_glued_on(site: Site, tmp_path: Path) -> None:
    site.offset_lie, site.cut_after = 7, [300_000]
    get(site.pin(), tmp_path)
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT
    assert "Range" not in site.asked[2]


def test_a_wrong_checksum_removes_the_file_and_names_both(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch, match="pinned is 0000") as refused:
        get(site.pin(sha256="0" * 64), tmp_path)
    assert hashlib.sha256(CONTENT).hexdigest() in str(refused.value)
    assert files_below(tmp_path) == []


def test_more_bytes_than_pinned_are_refused_and_not_kept(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="sends more than the pinned 1,000 bytes"):
        get(site.pin(size=1000), tmp_path)
    assert not [name for name in files_below(tmp_path) if name.endswith(".part")]


def test_fewer_bytes_than_pinned_end_after_the_retries(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="times in a row"):
        get(site.pin(size=len(CONTENT) + 5), tmp_path, retries=2)
    assert len(site.asked) < 8


def test_a_missing_file_is_said_at_once_and_not_tried_again(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="404 Not Found; check the address"):
        get(site.pin(url=site.url("missing")), tmp_path)
    assert len(site.asked) == 1
    assert files_below(tmp_path) == []


def test_a_server_that_is_briefly_unwell_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.failures = [503, 429]
    get(site.pin(), tmp_path)
    assert len(site.asked) == 3
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT


def test_a_server_that_stays_unwell_is_given_up_and_said(site: Site, tmp_path: Path) -> None:
    site.failures = [503] * 10
    with pytest.raises(FetchFailed, match="503 Service Unavailable, 3 times in a row"):
        get(site.pin(), tmp_path, retries=2)


def test_without_a_network_there_is_one_line_that_says_what_to_do(
    site: Site, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/set.bin"
        with pytest.raises(FetchFailed, match=r"cannot reach 127\.0\.0\.1") as refused:
            get(site.pin(url=url), tmp_path)
    assert "connect to a network" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_redirect_on_the_same_scheme_is_followed(site: Site, tmp_path: Path) -> None:
    site.redirect = "/moved"
    get(site.pin(), tmp_path)
    assert (tmp_path / "set" / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("target", ["https://127.0.0.1/set.bin", "ftp://127.0.0.1/set.bin"])
def test_a_redirect_to_another_scheme_is_refused(site: Site, tmp_path: Path, target: str) -> None:
    site.redirect = target
    scheme = target.partition(":")[0]
    with pytest.raises(FetchFailed, match=f"refused a redirect from http to {scheme}"):
        get(site.pin(), tmp_path)
    assert len(site.asked) == 1


def test_redirects_in_a_circle_end(site: Site, tmp_path: Path) -> None:
    site.redirect = "/set.bin"
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        get(site.pin(), tmp_path)


def test_a_transfer_that_drips_ends_with_its_time_and_keeps_what_came(
    site: Site, tmp_path: Path
) -> None:
    site.drip_s = 0.05
    with pytest.raises(FetchFailed, match=r"out of time .* run again to resume"):
        get(site.pin(), tmp_path, limit_s=0.4)
    site.drip_s = 0.0
    get(site.pin(), tmp_path)
    assert "Range" in site.asked[-1]


def test_what_is_there_already_is_left_alone_and_nothing_is_asked(
    site: Site, tmp_path: Path
) -> None:
    get(site.pin(), tmp_path)
    before = len(site.asked)
    assert get(site.pin(), tmp_path).status == "already there"
    assert len(site.asked) == before


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", ""])
def test_a_tar_is_unpacked_into_its_folder(site: Site, tmp_path: Path, kind: str) -> None:
    site.content = packed({"a/b.csv": b"1", "c.csv": b"2"}, kind)
    get(site.pin("tar"), tmp_path)
    assert files_below(tmp_path) == ["set/a/b.csv", "set/c.csv"]


def test_a_zip_is_unpacked_into_its_folder(site: Site, tmp_path: Path) -> None:
    site.content = zipped({"a/b.csv": b"1", "c.csv": b"2", "empty/": b""})
    get(site.pin("zip"), tmp_path)
    assert files_below(tmp_path) == ["set/a/b.csv", "set/c.csv"]
    assert (tmp_path / "set" / "empty").is_dir()


def test_a_path_climbing_archive_writes_nothing_anywhere(site: Site, tmp_path: Path) -> None:
    site.content = packed({"good.csv": b"1", "../../evil.csv": b"2"})
    with pytest.raises(UnsafeArchive, match=r"entry '../../evil.csv' climbs out of its folder"):
        get(site.pin("tar"), tmp_path / "data")
    assert not [name for name in files_below(tmp_path) if name.endswith(".csv")]
    assert not (tmp_path / "data" / "set").exists()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(FetchFailed, match="cannot be written"):
        get(site.pin(), tmp_path / "data")


def test_a_run_that_was_killed_while_unpacking_is_no_obstacle(site: Site, tmp_path: Path) -> None:
    site.content = packed({"a.csv": b"1"})
    pin = site.pin("tar")
    left = tmp_path / ".fetch" / f"{pin.sha256}.unpacked"
    left.mkdir(parents=True)
    (left / "half.csv").write_bytes(b"")
    get(pin, tmp_path)
    assert files_below(tmp_path) == ["set/a.csv"]
    assert os.listdir(tmp_path) == ["set"]  # noqa: PTH208  hidden folders too
