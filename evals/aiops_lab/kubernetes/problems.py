"""What can go wrong with a request, as the Status objects that Kubernetes answers with."""

from dataclasses import dataclass
from typing import Any

from aiops.errors import AiopsError
from aiops_lab.kubernetes.kinds import Kind


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing wrong with one field."""

    reason: str
    message: str
    field: str


def required(field: str, why: str = "") -> Cause:
    """A field that must be there is not."""
    return Cause("FieldValueRequired", f"Required value{': ' + why if why else ''}", field)


def wrong(field: str, value: Any, why: str) -> Cause:
    """A value that a field cannot have."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return Cause("FieldValueInvalid", f"Invalid value: {text}: {why}", field)


def unsupported(field: str, value: Any, supported: tuple[str, ...]) -> Cause:
    """A value that is not one of those there are."""
    listed = ", ".join(f'"{name}"' for name in supported)
    message = f'Unsupported value: "{value}": supported values: {listed}'
    return Cause("FieldValueNotSupported", message, field)


def forbidden_change(field: str, why: str) -> Cause:
    """A field that cannot be changed any more."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


class Refused(AiopsError):
    """A request that is answered with an error.

    Args:
        code: the HTTP status.
        reason: one word of Kubernetes, such as "NotFound".
        message: for a person.
        kind, name: what it is about, where there is one.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        kind: Kind | None = None,
        name: str = "",
        causes: tuple[Cause, ...] = (),
        retry_after: int = 0,
    ) -> None:
        self.code, self.reason, self.message = code, reason, message
        self.kind, self.name, self.causes, self.retry_after = kind, name, causes, retry_after
        super().__init__(message)

    def status(self) -> dict[str, Any]:
        """The Status object."""
        details: dict[str, Any] = {}
        if self.name:
            details["name"] = self.name
        if self.kind is not None:
            if self.kind.group:
                details["group"] = self.kind.group
            # As in apimachinery: validation names the kind, everything else the resource.
            invalid = self.reason == "Invalid"
            details["kind"] = self.kind.kind if invalid else self.kind.plural
        if self.causes:
            details["causes"] = [
                {"reason": c.reason, "message": c.message, "field": c.field} for c in self.causes
            ]
        if self.retry_after:
            details["retryAfterSeconds"] = self.retry_after
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            **({"details": details} if details else {}),
            "code": self.code,
        }


def not_found(kind: Kind, name: str) -> Refused:
    """No object of that name."""
    message = f'{kind.qualified} "{name}" not found'
    return Refused(404, "NotFound", message, kind=kind, name=name)


def no_such_path() -> Refused:
    """No API behind this URL."""
    message = "the server could not find the requested resource"
    return Refused(404, "NotFound", message)


def already_exists(kind: Kind, name: str) -> Refused:
    """The name is taken."""
    message = f'{kind.qualified} "{name}" already exists'
    return Refused(409, "AlreadyExists", message, kind=kind, name=name)


def conflict(kind: Kind, name: str, why: str = "") -> Refused:
    """Somebody else changed it meanwhile."""
    why = why or (
        "the object has been modified; "
        "please apply your changes to the latest version and try again"
    )
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
    return Refused(409, "Conflict", message, kind=kind, name=name)


def apply_conflict(causes: tuple[Cause, ...]) -> Refused:
    """Fields wanted by an apply belong to other field managers."""
    listed = "\n".join(f"- {cause.field}: {cause.message}" for cause in causes)
    count = f"{len(causes)} conflict" + ("s" if len(causes) != 1 else "")
    return Refused(409, "Conflict", f"Apply failed with {count}:\n{listed}", causes=causes)


def invalid(kind: Kind, name: str, causes: tuple[Cause, ...]) -> Refused:
    """A well-formed object that cannot be."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    title = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    message = f'{title} "{name}" is invalid: {listed}'
    return Refused(422, "Invalid", message, kind=kind, name=name, causes=causes)


def bad_request(message: str) -> Refused:
    """A request that cannot be understood."""
    return Refused(400, "BadRequest", message)


def forbidden(kind: Kind | None, name: str, why: str, causes: tuple[Cause, ...] = ()) -> Refused:
    """Understood, and not allowed."""
    if kind is None:
        return Refused(403, "Forbidden", f"forbidden: {why}")
    about = f'{kind.qualified} "{name}"' if name else kind.qualified
    message = f"{about} is forbidden: {why}"
    return Refused(403, "Forbidden", message, kind=kind, name=name, causes=causes)


def unauthorized() -> Refused:
    """The token is nobody's."""
    return Refused(401, "Unauthorized", "Unauthorized")


def unsupported_media_type(given: str, accepted: tuple[str, ...]) -> Refused:
    """A body in a format that is not read here."""
    message = (
        f"the body of the request was in an unknown format ({given or 'no content type'})"
        f" - accepted media types include: {', '.join(accepted)}"
    )
    return Refused(415, "UnsupportedMediaType", message)


def method_not_allowed(what: str) -> Refused:
    """The resource exists and cannot do this."""
    message = f"the server does not allow this method on the requested resource: {what}"
    return Refused(405, "MethodNotAllowed", message)


def gone(message: str) -> Refused:
    """The part of history asked for is no longer kept."""
    return Refused(410, "Expired", message)


def too_many_requests(message: str, causes: tuple[Cause, ...] = ()) -> Refused:
    """Not now: an eviction that a disruption budget does not allow."""
    return Refused(429, "TooManyRequests", message, causes=causes)
