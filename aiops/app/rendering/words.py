"""What the templates share: the environment they run in and the words they use."""

from typing import TYPE_CHECKING, Any

from aiops.analyze.wording import TimeWords, duration, fault, number, percent
from aiops.app.rendering.propagation import edge_words
from aiops.model.report import Report

if TYPE_CHECKING:
    from jinja2 import Environment

HEADLINES = {
    "root_cause": "Root cause found",
    "healthy": "No fault found",
    "inconclusive": "Inconclusive",
}
STANDINGS = {
    "done": "done",
    "started": "is being done",
    "denied": "not done",
    "waits": "waits for approval",
    "shadowed": "shadow mode, not done",
    "failed": "failed",
    "rolled_back": "taken back",
    "unknown": "end not known",
}
"""How an action stands, in the gateway's words and in people's."""
MODALITIES = {
    "metrics": "metrics",
    "logs": "logs",
    "traces": "traces",
    "alerts": "alerts",
    "cluster_state": "cluster state",
    "call_graph": "call graph",
    "changes": "changes",
}


def environment(**options: Any) -> "Environment":
    """A jinja2 environment over this package's templates; an unknown name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(  # noqa: S701 - each face escapes for its own language, by default
        loader=PackageLoader("aiops.app.rendering"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )


def vocabulary(report: Report) -> dict[str, Any]:
    """The functions and tables the templates call."""
    subject = report.subject
    times = TimeWords(subject.window.start, subject.relative)
    return {
        "at": times.at,
        "full": times.full,
        "offset": times.offset,
        "duration": duration,
        "edge_words": edge_words,
        "fault": fault,
        "number": number,
        "percent": percent,
        "headline": HEADLINES[report.verdict],
        "modality": MODALITIES,
        "standing": STANDINGS,
    }
