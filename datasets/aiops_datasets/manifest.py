"""What to fetch: files pinned by URL, size and sha256.

A manifest is a TOML or JSON file, or the front matter of a card (TOML between two lines of
``+++``), with one table per file::

    [[fetch]]
    url = "https://.../archive.tar.gz"
    sha256 = "<64 hex digits>"
    size = 123456          # bytes, as downloaded
    archive = "tar"        # "tar" (plain, gz, bz2, xz), "zip" or "none"
    unpack = "some-folder" # below the data folder; an archive's contents or the file itself go here
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from aiops.errors import InvalidData

ArchiveKind = Literal["none", "tar", "zip"]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FENCE = "+++"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file to fetch; the fields are those of the manifest."""

    url: str
    sha256: str
    size: int
    archive: ArchiveKind
    unpack: PurePosixPath

    @property
    def filename(self) -> str:
        """The last part of the URL's path."""
        return PurePosixPath(urlsplit(self.url).path).name


def front_matter(path: Path) -> dict[str, Any]:
    """The TOML between the first two lines of ``+++`` of a Markdown file.

    Raises:
        InvalidData: unreadable, without front matter, or not TOML.
    """
    before, _, rest = _text(path).partition(f"{_FENCE}\n")
    matter, fence, _ = rest.partition(f"\n{_FENCE}\n")
    if before or not fence:
        raise InvalidData(path, f"has no front matter; put TOML between two lines of {_FENCE}")
    return _toml(path, matter)


def read_manifest(path: Path) -> tuple[RemoteFile, ...]:
    """The files a manifest pins, at least one.

    Raises:
        InvalidData: unreadable, not in one of the formats, or a pin that cannot be used.
    """
    match path.suffix:
        case ".toml":
            found: Any = _toml(path, _text(path))
        case ".json":
            found = _json(path, _text(path))
        case ".md":
            found = front_matter(path)
        case _:
            raise InvalidData(path, "is no manifest; give a .toml, .json or .md file")
    files = remote_files(path, found)
    if not files:
        raise InvalidData(path, "pins no file; add a [[fetch]] table with url, sha256 and size")
    return files


def remote_files(path: object, table: object) -> tuple[RemoteFile, ...]:
    """The ``fetch`` tables of a manifest already parsed; () where it has none.

    Raises:
        InvalidData: a pin that cannot be used, naming its place in ``path`` and the key.
    """
    if not isinstance(table, Mapping):
        raise InvalidData(path, "is not a table of keys")
    pins = table.get("fetch", [])
    if not isinstance(pins, list):
        raise InvalidData(path, "fetch must be a list of tables: write [[fetch]]")
    return tuple(_remote_file(path, number, pin) for number, pin in enumerate(pins, start=1))


def _remote_file(path: object, number: int, pin: object) -> RemoteFile:
    def refuse(key: str, why: str) -> InvalidData:
        return InvalidData(path, f"fetch {number}: {key} {why}")

    if not isinstance(pin, Mapping):
        raise InvalidData(path, f"fetch {number} is not a table of keys")
    known = {"url", "sha256", "size", "archive", "unpack"}
    if strange := sorted(set(pin) - known):
        raise refuse(strange[0], f"is not a key of a pin; those are {', '.join(sorted(known))}")
    url, digest, size = pin.get("url"), pin.get("sha256"), pin.get("size")
    archive, unpack = pin.get("archive", "none"), pin.get("unpack", "")
    if not isinstance(url, str) or not _is_fetchable(url):
        raise refuse("url", f"must be http(s) with a host and a file name, is {url!r:.200}")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest.lower()):
        raise refuse("sha256", "must be 64 hex digits; a checksum is never left out")
    if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        raise refuse("size", f"must be the number of bytes, is {size!r:.60}")
    if archive not in get_args(ArchiveKind):
        raise refuse("archive", f"must be one of {', '.join(get_args(ArchiveKind))}")
    if not isinstance(unpack, str) or not unpack or not stays_below(unpack):
        raise refuse("unpack", f"must be a folder below the data folder, is {unpack!r:.200}")
    return RemoteFile(url, digest.lower(), size, archive, PurePosixPath(unpack))


def stays_below(name: str) -> bool:
    """Whether a relative path written by others cannot leave the folder it is read in."""
    path = PurePosixPath(name)
    drive = PureWindowsPath(name).drive
    return not (path.is_absolute() or drive or ".." in path.parts or "\\" in name or "\0" in name)


def _is_fetchable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # both raise on nonsense
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and parts.username is None
        and PurePosixPath(parts.path).name not in ("", "..")
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidData(path, "is not UTF-8 text") from error
    except OSError as error:
        raise InvalidData(path, f"cannot be read ({error.strerror})") from error


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidData(path, f"is not TOML: {error}") from error


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidData(path, f"is not JSON: {error}") from error
