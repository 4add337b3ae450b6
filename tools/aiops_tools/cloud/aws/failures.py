"""What goes wrong on the way to an account, as errors that say what to do."""

from typing import Any, Final

from aiops.errors import ToolFailed

_UNKNOWN_US: Final = frozenset(
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
        "InvalidToken",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
    ]
)
_FORBIDDEN: Final = frozenset(
    [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "NotAuthorized",
        "NotAuthorizedException",
        "OptInRequired",
        "SubscriptionRequiredException",
    ]
)
_THROTTLED: Final = frozenset(
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "SlowDown",
        "LimitExceededException",
    ]
)
_BUSY: Final = frozenset(
    [
        "ScalingActivityInProgress",
        "ResourceContention",
        "ResourceInUse",
        "ResourceInUseException",
        "IncorrectState",
        "IncorrectInstanceState",
        "ConflictException",
        "ServiceNotActiveException",
        "UpdateInProgressException",
    ]
)
_WRONG: Final = ("Validation", "InvalidParameter", "InvalidRequest", "Malformed", "InvalidQuery")
MESSAGE: Final = 300


def refused(place: str, asked: str, error: Any, who: str) -> ToolFailed:
    """What an answer that is an error means.

    Args:
        asked: the question in words, "instances".
        error: botocore's ClientError.
        who: which identity asked, in words of the configuration.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:MESSAGE]
    told = f" ({said})" if said and not said.startswith("<") else ""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    asked = f"{asked} of {place}"
    if code in _UNKNOWN_US:
        return ToolFailed(
            "unauthorized",
            f"{asked}: the credentials of {who} have expired or are wrong ({code}); renew them",
        )
    if code in _FORBIDDEN:
        return ToolFailed(
            "forbidden",
            f"{asked}: {who} may not{told}; allow it in its policy, or do without",
        )
    if code in _THROTTLED or status == 429:
        return ToolFailed(
            "throttled",
            f"{asked}: the API asks to be left alone for a moment ({code}); ask again later and "
            "for less",
            retryable=True,
        )
    if code in _BUSY:
        return ToolFailed(
            "conflict", f"{asked}: it is busy with another change{told}; wait for it to end"
        )
    if "NotFound" in code or code.startswith("NoSuch"):
        return ToolFailed("not_found", f"{asked}: it is not there{told}; list what is there first")
    if code.startswith(_WRONG):
        return ToolFailed("invalid", f"{asked}: the API does not accept it{told}")
    return ToolFailed(
        "failed",
        f"{asked}: the API answered {code or status}{told}; look at the provider's status page",
        retryable=status >= 500,
    )


def unanswered(place: str, asked: str, error: Exception, who: str) -> ToolFailed:
    """What a question means that brought no answer; ``error`` is botocore's."""
    from botocore import exceptions

    asked, name = f"{asked} of {place}", type(error).__name__
    if isinstance(error, exceptions.ReadTimeoutError):
        return ToolFailed(
            "timeout", f"{asked}: no answer in time; ask for less, or later", retryable=True
        )
    if isinstance(error, exceptions.ParamValidationError):
        return ToolFailed("invalid", f"{asked}: the arguments cannot be sent; correct them")
    if isinstance(error, exceptions.SSLError):
        return ToolFailed("unreachable", f"{asked}: its certificate is not trusted; check proxies")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return ToolFailed(
            "unreachable",
            f"{asked}: it cannot be reached ({name}); check the network and endpoint_url",
            retryable=True,
        )
    if isinstance(error, exceptions.ProfileNotFound):
        return ToolFailed("unauthorized", f"{asked}: the profile of {who} is not there; create it")
    known = (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )
    if isinstance(error, known):
        return ToolFailed(
            "unauthorized",
            f"{asked}: {who} has no credentials that can be used ({name}); log in, or give a "
            "profile or a role",
        )
    return ToolFailed(
        "failed", f"{asked}: the answer cannot be used ({name}); is this the API?", retryable=True
    )
