"""A pushed body as it was before compression, and never more of it than was allowed."""

import zlib
from typing import Final

from aiops.errors import BadPayload

_GZIP: Final = 31  # zlib's window bits for gzip and nothing else


def unpacked(body: bytes, content_encoding: str, most_bytes: int) -> bytes:
    """The body as it was before compression.

    Args:
        content_encoding: the header's value; "" where there is none.

    Raises:
        BadPayload: not gzip although it says so, cut off, or more than ``most_bytes``.
    """
    how = content_encoding.strip().lower()
    if how in ("", "identity"):
        plain = body
    elif how in ("gzip", "x-gzip"):
        plain = _inflated(body, most_bytes)
    else:
        raise BadPayload(f"content encoding {how[:40]!r}: send gzip or none")
    if len(plain) > most_bytes:
        raise BadPayload(f"more than {most_bytes} bytes unpacked: send smaller batches")
    return plain


def _inflated(body: bytes, most_bytes: int) -> bytes:
    # One byte more than allowed shows that there is more; a bomb is never unpacked further.
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(body, most_bytes + 1)
    except zlib.error as error:
        raise BadPayload("not gzip, as its content encoding says") from error
    if len(plain) <= most_bytes and not stream.eof:
        raise BadPayload("the gzip stream is cut off")
    return plain
