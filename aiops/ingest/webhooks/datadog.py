"""Datadog's webhook (Datadog documentation, "Webhooks integration").

Its payload is a template that the user writes; ``docs/webhooks.md`` says which to set. Names are
read in any case, with or without underscores and the prefix "alert", so that templates that are
in use already are understood; so is the template Datadog starts with, by its title.
"""

import re
from collections import defaultdict
from datetime import datetime

from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, as_text, read
from aiops.ingest.webhooks.labels import plain_name
from aiops.model.alert import Alert
from aiops.ports.webhook import Push

_UNSET = re.compile(r"\$[A-Z_]{1,60}|[Nn]ull")
"""What Datadog leaves standing for a variable that has no value."""
_TITLE = re.compile(
    r"""\s*(?:\[(?P<priority>P[1-5])\]\s*)?
    \[(?P<transition>(?:Re-)?(?:Triggered|Warn|No\ Data)|Renotify|Recovered|Resolved|Test)
    (?:\ on\ [^\]]{1,500})?\]\s*(?P<name>.*)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
"""What Datadog puts before a monitor's name; other brackets are part of the name."""
_RECOVERED = frozenset({"recovered", "resolved", "success", "ok"})


class _Template:
    """The payload by plain names of its members; of several candidates the first that is set."""

    def __init__(self, payload: Fields) -> None:
        self._payload = payload
        self._names = {plain_name(name[:100]): name for name in reversed(payload.names())}

    def text(self, *keys: str) -> str:
        """The first text that is set; "" where none is."""
        found = (self._payload.text(self._names[key]) for key in keys if key in self._names)
        return next((text.strip() for text in found if _is_set(text)), "")

    def time(self, *keys: str) -> datetime | None:
        """The first time that is set."""
        names = (self._names[key] for key in keys if key in self._names)
        found = (self._payload.time(name) for name in names if _is_set(self._payload.text(name)))
        return next(found, None)

    def tags(self, key: str) -> dict[str, str]:
        """Tags as labels, from a list or a text with commas; of a repeated one all values."""
        if key not in self._names:
            return {}
        value = self._payload.raw(self._names[key])
        listed = value if isinstance(value, list) else as_text(value).split(",")
        tags: defaultdict[str, list[str]] = defaultdict(list)
        for tag in (as_text(one).strip() for one in listed):
            name, _, said = tag.partition(":")
            if _is_set(name):
                tags[name].append(said)
        return {name: ",".join(values) for name, values in tags.items()}


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser."""
    payload = read(push.body)
    template = _Template(payload)
    title = template.text("alerttitle", "title", "eventtitle")
    if not title:
        raise payload.refuse("title", "missing or empty; set the payload that docs/webhooks.md has")
    prefixed = _TITLE.fullmatch(title)
    said = {"name": title} if prefixed is None else prefixed.groupdict()
    name = said["name"] or title
    transition = template.text("alerttransition", "transition") or said.get("transition", "")
    kind = template.text("alerttype", "type")
    recovered = (transition or kind).lower() in _RECOVERED
    scope = template.text("alertscope", "scope")
    own = {"host": template.text("hostname", "host"), "scope": scope}
    monitor = template.text("alertid", "monitorid")
    at = template.time("date", "lastupdated")
    return (
        compose(
            push,
            payload,
            # The key stays the same for a monitor and group; that of a cycle ends with it.
            fingerprint=template.text("aggregkey")
            or (f"monitor {monitor} {scope}".strip() if monitor else "")
            or template.text("alertcyclekey"),
            status="resolved" if recovered else "firing",
            name=name,
            labels={"alertname": name}
            | template.tags("tags")
            | {label: value for label, value in own.items() if value},
            annotations={"description": template.text("body", "eventmsg", "message", "text")},
            starts=at,
            ends=at if recovered else None,
            severity=(
                template.text("alertpriority", "priority"),
                said.get("priority") or "",
                kind,
                transition,
            ),
            summary=template.text("alertstatus", "status") or name,
            link=template.text("link", "url", "eventurl"),
        ),
    )


def _is_set(text: str) -> bool:
    return bool(text.strip()) and not _UNSET.fullmatch(text.strip())
