"""A mapping file: which services a repository or application is, and which environments count.

    services:
      acme/storefront: web              # a repository or application, as its sender names it
      acme/platform: [web, cart]        # several services in one
      acme/platform@staging: []         # none of ours
    environments: [production, eu1]     # without it, all of them

What is not listed is the service of the last part of its name: acme/web is web.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiops.errors import InvalidInput
from aiops.ingest.yaml_file import parsed

_KEYS: Final = ("services", "environments")


@dataclass(frozen=True, slots=True)
class ServiceNames:
    """Attributes:
    listed: services by subject, or by "subject@environment".
    environments: those that count; None for all. What names none counts.
    """

    listed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    environments: frozenset[str] | None = None

    def services(self, subject: str, environment: str = "") -> tuple[str, ...]:
        """The services that a change of ``subject`` is of; () where it is none of ours."""
        if environment and self.environments is not None and environment not in self.environments:
            return ()
        listed = dict(self.listed)
        for key in (f"{subject}@{environment}", subject):
            if key in listed:
                return listed[key]
        short = subject.rstrip("/").rsplit("/", 1)[-1]
        return (short or subject,)


AS_REPORTED: Final = ServiceNames()


def load_names(file: Path) -> ServiceNames:
    """The names in a file; raises InvalidInput, see ``read_names``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidInput(f"mapping {file}: {reason}") from error
    return read_names(text, str(file))


def read_names(text: str, name: str = "mapping") -> ServiceNames:
    """The names that YAML writes.

    Args:
        name: of the file, for errors.

    Raises:
        InvalidInput: it is not YAML, or not such a mapping; names the key.
    """
    document = parsed(text, name) or {}
    if not isinstance(document, dict):
        raise InvalidInput(f"{name}: keys are expected: {', '.join(_KEYS)}")
    for key in document:
        if key not in _KEYS:
            raise InvalidInput(f"{name}: unknown key {key!r}; choose from: {', '.join(_KEYS)}")
    services = document.get("services") or {}
    if not isinstance(services, Mapping):
        raise InvalidInput(f"{name}: key 'services': subjects and their services are expected")
    environments = document.get("environments")
    return ServiceNames(
        listed=tuple(
            (str(key), _texts(f"{name}: key 'services.{key}'", value))
            for key, value in services.items()
        ),
        environments=None
        if environments is None
        else frozenset(_texts(f"{name}: key 'environments'", environments)),
    )


def _texts(key: str, value: object) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) and one for one in several):
        raise InvalidInput(f"{key}: a name or a list of names is expected")
    return tuple(several)
