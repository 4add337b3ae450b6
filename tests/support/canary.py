"""A secret that every fixture with Secrets holds, and the search for it in all that a run left.

What a test writes below its folder is kept until the run is over: databases with the audit log and
what models were asked, logs, reports, caches. The value may be in none of it, nor in what a test
printed or logged, in no form that somebody could read back.
"""

import base64
import hashlib
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Made here, so that no search for secrets ever finds one in the repository.
CANARY: Final = f"Pl4nted-{hashlib.sha256(b'a value of a Secret').hexdigest()[:24]}"
CANARY_BASE64: Final = base64.b64encode(CANARY.encode()).decode()
"""As a Secret's data has it."""
_TELLING: Final = 16
"""Bytes of a form that are enough to know it by."""
FORMS: Final = tuple(
    form[:_TELLING]
    for form in (
        CANARY.encode(),
        CANARY.encode()[::-1],
        CANARY.encode().hex().encode(),
        # Within a longer text it is encoded in one of three ways.
        *(base64.b64encode(b"x" * before + CANARY.encode())[4:] for before in (1, 2, 3)),
    )
)
_MOST_BYTES: Final = 256 << 20


def holds(raw: bytes | mmap.mmap) -> bool:
    """Whether the canary is in it, in whatever form."""
    return any(raw.find(form) >= 0 for form in FORMS)


def leaks(folder: Path) -> Iterator[Path]:
    """Files below a folder that hold the canary; links are not followed."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        if 0 < path.stat().st_size <= _MOST_BYTES:
            with (
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw,
            ):
                if holds(raw):
                    yield path
