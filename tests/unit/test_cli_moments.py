"""When the alert fired can be said as a count or as a date."""

import pytest
import typer

from aiops.cli.options import moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1767640500", 1767640500.0),
        ("1767640500000", 1767640500000.0),
        ("12.5", 12.5),
        ("2026-01-05T19:15:00Z", 1767640500.0),
        ("2026-01-05 19:15:00", 1767640500.0),
        ("2026-01-05T21:15:00+02:00", 1767640500.0),
    ],
)
def test_a_moment_is_a_count_or_an_iso_date(text: str, seconds: float) -> None:
    assert moment(text) == seconds


def test_what_is_no_moment_is_refused_with_an_example() -> None:
    with pytest.raises(typer.BadParameter, match="such as 2026-05-20T14:41:30Z"):
        moment("yesterday")
