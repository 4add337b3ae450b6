"""A mapping file: where a payload that no parser knows says what an alert needs to say.

    alerts: problems              # path of the list; without it the payload is one alert
    fields:                       # of an alert; each from a path, or from
      fingerprint: id             # {path | template, values: {theirs: ours}, default}
      status: {path: state, values: {OPEN: firing, CLOSED: resolved}}
      name: {template: "{check.name} on {host}"}
      starts_at: since
    labels:
      "*": tags.*                 # every member of an object
      service: component.name
    annotations:
      description: text

A template finds nothing if one of its places is empty. ``fields`` may set fingerprint, status,
name, starts_at, ends_at, severity, summary, runbook_url, link, service. For paths see ``paths``.
"""

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from pathlib import Path as FilePath

from aiops.errors import InvalidInput
from aiops.ingest.webhooks.fields import as_text
from aiops.ingest.webhooks.paths import Path, path
from aiops.ingest.yaml_file import parsed

FIELDS = (
    "fingerprint",
    "status",
    "name",
    "starts_at",
    "ends_at",
    "severity",
    "summary",
    "runbook_url",
    "link",
    "service",
)
_TOP = ("alerts", "fields", "labels", "annotations")
_RULE = ("path", "template", "values", "default")
_HOLE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one text comes from.

    Attributes:
        key: where it stands in the mapping: "fields.status".
        template: texts, with paths between them; a lone path is what most rules are.
        values: what their words mean; a word that is not there stays as it is.
        default: for what finds nothing.
    """

    key: str
    template: tuple[str | Path, ...]
    values: tuple[tuple[str, str], ...] = ()
    default: str | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The places it reads."""
        return tuple(part for part in self.template if isinstance(part, Path))

    def find(self, root: object, alert: object) -> object:
        """What it finds, translated; its default where nothing is there."""
        if len(self.template) == 1 and isinstance(self.template[0], Path):
            found = self.template[0].find(root, alert)
        else:
            found = self._filled(root, alert)
        if found is None or found == "":
            return self.default
        return dict(self.values).get(as_text(found), found) if self.values else found

    def _filled(self, root: object, alert: object) -> str | None:
        # One hole left open would make a fingerprint that many alerts share, a link to nowhere.
        holes = [as_text(one.find(root, alert)) for one in self.paths]
        if not all(holes):
            return None
        filled = iter(holes)
        return "".join(next(filled) if isinstance(p, Path) else p for p in self.template)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file as read.

    Attributes:
        alerts: where the list of alerts stands; None where the payload is one alert.
        fields, labels, annotations: by the name they set; "*" sets as many as it finds.
    """

    fields: tuple[tuple[str, Rule], ...]
    labels: tuple[tuple[str, Rule], ...] = ()
    annotations: tuple[tuple[str, Rule], ...] = ()
    alerts: Path | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of the file."""
        groups = (self.fields, self.labels, self.annotations)
        return tuple(rule for group in groups for _, rule in group)


def load_mapping(file: FilePath) -> Mapping:
    """The mapping in a file; raises InvalidInput, see ``read_mapping``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidInput(f"mapping {file}: {reason}") from error
    return read_mapping(text, str(file))


def read_mapping(text: str, name: str = "mapping") -> Mapping:
    """The mapping that YAML writes.

    Args:
        name: of the file, for errors.

    Raises:
        InvalidInput: it is not YAML, or not a mapping; names the key.
    """
    document = parsed(text, name)
    try:
        return _mapping(document)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from error


def _mapping(document: object) -> Mapping:
    top = _object(document, "the mapping", _TOP)
    fields = _rules(top.get("fields"), "fields", FIELDS)
    if not {"name", "summary"} & {name for name, _ in fields}:
        raise InvalidInput("key 'fields': set name or summary, so that people know what fired")
    at = top.get("alerts")
    return Mapping(
        fields=fields,
        labels=_rules(top.get("labels"), "labels"),
        annotations=_rules(top.get("annotations"), "annotations"),
        alerts=None if at is None else _path(at, "alerts"),
    )


def _rules(
    document: object, group: str, known: tuple[str, ...] = ()
) -> tuple[tuple[str, Rule], ...]:
    members = _object(document or {}, f"key {group!r}", known)
    return tuple((name, _rule(value, f"{group}.{name}")) for name, value in members.items())


def _rule(value: object, key: str) -> Rule:
    if isinstance(value, str):
        return Rule(key, (_path(value, key),))
    rule = _object(value, f"key {key!r}", _RULE)
    if ("path" in rule) == ("template" in rule):
        raise InvalidInput(f"key {key!r}: give a path or a template")
    values = _object(rule.get("values") or {}, f"key '{key}.values'")
    default = rule.get("default")
    template = (
        (_path(rule["path"], f"{key}.path"),)
        if "path" in rule
        else _template(rule["template"], f"{key}.template")
    )
    words = tuple((name, as_text(word)) for name, word in values.items())
    return Rule(key, template, words, None if default is None else str(default))


def _template(value: object, key: str) -> tuple[str | Path, ...]:
    if not isinstance(value, str):
        raise InvalidInput(f"key {key!r}: not text")
    parts = _HOLE.split(value)
    return tuple(_path(part, key) if n % 2 else part for n, part in enumerate(parts) if part)


def _path(value: object, key: str) -> Path:
    if not isinstance(value, str):
        raise InvalidInput(f"key {key!r}: a path is text such as a.b[0].c")
    try:
        return path(value)
    except InvalidInput as error:
        raise InvalidInput(f"key {key!r}: {error}") from error


def _object(value: object, what: str, known: tuple[str, ...] = ()) -> MappingType[str, object]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{what}: names and values are expected")
    # YAML reads words such as yes and 1 as other things than text; JSON's names are text.
    members = {
        as_text(name) if isinstance(name, bool) else str(name): v for name, v in value.items()
    }
    for name in members:
        if known and name not in known:
            raise InvalidInput(f"{what}: unknown key {name!r}; choose from: {', '.join(known)}")
    return members
