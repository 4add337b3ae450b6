"""Downloads against a real server on this machine: cut, resumed, lied to, redirected, too slow."""

import hashlib
import io
import os
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_datasets.fetch import ChecksumMismatch, Fetched, FetchFailed, fetch
from aiops_datasets.manifest import ArchiveKind, RemoteFile, stays_below
from aiops_datasets.unpack import UnsafeArchive, unpack

CONTENT = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Site:
    """What the server answers, and what it was asked."""

    content: bytes = CONTENT
    cut_after: list[int] = field(default_factory=list)  # one answer each, then no more cuts
    failures: list[int] = field(default_factory=list)  # statuses before it answers
    etag: str | None = '"one"'
    ranges: bool = True
    redirect: str | None = None
    drip_s: float = 0.0
    offset_lie: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, name: str = "set.bin") -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def pin(self, archive: ArchiveKind = "none", **changes: Any) -> RemoteFile:
        digest = hashlib.sha256(self.content).hexdigest()
        pinned = {"url": self.url(), "sha256": digest, "size": len(self.content), **changes}
        return RemoteFile(**pinned, archive=archive, unpack=PurePosixPath("set"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Keep the tests quiet."""

    def do_GET(self) -> None:
        site = cast("_Server", self.server).site
        site.asked.append(dict(self.headers))
        if self.path == "/missing":
            self.send_error(404)
        elif site.redirect and self.path != "/moved":
            self.send_response(302)
            self.send_header("Location", site.redirect)
            self.end_headers()
        elif site.failures:
            self.send_error(site.failures.pop(0))
        else:
            self._send(site)

    def _send(self, site: Site) -> None:
        wanted = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        offset = 0
        if wanted and site.ranges and condition in (None, site.etag):
            offset = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if offset >= len(site.content):
                self.send_error(416)
                return
            self.send_response(206)
            first, last, size = offset + site.offset_lie, len(site.content) - 1, len(site.content)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            self.send_response(200)
        if site.etag:
            self.send_header("ETag", site.etag)
        body = site.content[offset:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if site.cut_after:
            body = body[: site.cut_after.pop(0)]
            self.close_connection = True
        if site.drip_s:
            for i in range(0, len(body), 1024):
                self.wfile.write(body[i : i + 1024])
                if site.closing.wait(site.drip_s):
                    return
        else:
            self.wfile.write(body)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.site = Site(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.site
        server.site.closing.set()
        server.shutdown()
        thread.join()


def get(file: RemoteFile, root: Path, **options: Any) -> Fetched:
    (done,) = fetch([file], root, pause_s=0.01, **options)
    return done


def packed(entries: dict[str, bytes], compression: str = "gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def files_below(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


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


def member(name: str, kind: bytes, target: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return buffer.getvalue()


def zip_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


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


WHOLE = [
    *(("tar", packed({"a/b": CONTENT[:3000], "c": b"2"}, how)) for how in ("", "gz", "bz2", "xz")),
    ("zip", zipped({"a/b": CONTENT[:3000], "c": b"2"})),
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
