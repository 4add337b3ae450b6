"""Options that several commands share. None means: as the settings say."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer


def moment(text: str) -> float:
    """A count on the case's clock, or a date in ISO 8601 as unix seconds.

    Raises:
        typer.BadParameter: neither.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is neither a count on the case's clock nor a date such as "
            "2026-05-20T14:41:30Z"
        ) from error
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


Case = Annotated[
    str, typer.Argument(help="A folder, a CSV file of metrics, DATASET:CASE, or a case id.")
]
Method = Annotated[
    str | None, typer.Option("--method", metavar="NAME", help="The analyzer that ranks.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything random.")]
Top = Annotated[int | None, typer.Option("--top", help="Candidates to list.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of recorded data sets.")
]
InjectTime = Annotated[
    float | None,
    typer.Option(
        "--inject-time",
        metavar="T",
        parser=moment,
        help="When the alert fired: on the case's clock, or an ISO 8601 date (UTC).",
    ),
]
Graph = Annotated[
    Path | None, typer.Option("--graph", metavar="FILE", help="Call graph: source,target CSV.")
]
AlertOn = Annotated[
    str | None, typer.Option("--trigger", metavar="SVC[:METRIC]", help="What the alert fired on.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print the report as Markdown.")]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Print the hypotheses instead, for and against."),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", min=1, max=64, help="Investigations at once.")
]
AT_ONCE: Final = 3
"""Most of an investigation's time goes by while its sources read. More of them at once on SQLite
make changes by people wait for over half a second in a storm of alerts."""
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Also write one HTML page.")
]
