"""Redaction keeps up: promised are 10 MB/s of log text, and that no text makes it more than linear.

Processor time is measured, for the machine is shared; the floors are far below an idle core.
"""

import sys
import time

import pytest

from aiops.toolbelt.redaction import Redactor

FLOOR = 3.0  # MB a second of processor time on a busy machine
LINE = (
    '{{"time":"2026-03-01T10:00:{s:02d}.{n:09d}Z","level":"info","trace_id":"{n:032x}","msg":"GET'
    ' /items/{n} took {s} ms from 10.0.{s}.7, mail to anna{n}@example.org, token={n:x}q7f3k9"}}'
)


def seconds(text: str) -> float:
    start = time.process_time()
    Redactor(b"0123456789abcdef").text(text)
    return time.process_time() - start


def test_bench_lines_of_json_with_and_without_secrets() -> None:
    plain = "\n".join(LINE[:120].format(n=n, s=n % 60) for n in range(20_000))
    rich = "\n".join(LINE.format(n=n, s=n % 60) for n in range(10_000))
    for label, text, floor in (("plain", plain, FLOOR), ("a secret a line", rich, FLOOR / 30)):
        speed = len(text) / 1e6 / seconds(text)
        sys.stdout.write(f"redaction of {label}: {speed:.1f} MB/s\n")
        assert speed >= floor


@pytest.mark.parametrize(
    "unit",
    ["://a:", "password=", "token: ", "a@", "eyJ", "-----BEGIN RSA PRIVATE KEY-----", '"', "\\",
     "kind: Secret\ndata:\n", "name: password ", "- - - a:\n", "curl -u ", "LS0tLS1", "4111 "],
)  # fmt: skip
def test_bench_four_times_the_text_takes_about_four_times_as_long(unit: str) -> None:
    short, long = (unit * (size // len(unit)) for size in (50_000, 200_000))
    assert seconds(long) <= 12 * max(seconds(short), 0.02)
