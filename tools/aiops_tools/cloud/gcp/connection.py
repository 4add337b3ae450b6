"""The wire to one project as one identity, over Google's official client.

Discovery documents are those that come with the client: nothing is fetched to know an API.
"""

from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any, Final, Literal

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.gcp import failures
from aiops_tools.cloud.gcp.options import GcpOptions
from aiops_tools.cloud.port import Found

Api = Mapping[str, Any]
Name = Literal["compute", "monitoring", "logging"]
MOST_PAGES: Final = 20
_VERSIONS: Final[Mapping[Name, str]] = {"compute": "v1", "monitoring": "v3", "logging": "v2"}
_PATHS: Final[Mapping[Name, str]] = {"compute": "/compute/v1/", "monitoring": "/", "logging": "/"}
"""Where an API begins: the client leaves it out where it is given another address."""
_READ: Final = (
    "https://www.googleapis.com/auth/compute.readonly",
    "https://www.googleapis.com/auth/monitoring.read",
    "https://www.googleapis.com/auth/logging.read",
)
_WRITE: Final = ("https://www.googleapis.com/auth/compute",)
_TO_IMPERSONATE: Final = ("https://www.googleapis.com/auth/iam",)


class Connection:
    """Requests to one project as one identity; safe to share between threads.

    Each request has a connection of its own, for httplib2's are not shared between threads.
    """

    def __init__(self, options: GcpOptions, role: Literal["read", "write"]) -> None:
        """Opens no connection yet."""
        self.place, self.project, self.region = options.place, options.project, options.region
        self._options = options
        self._identity = options.reader if role == "read" else options.writer
        self._scopes = _READ if role == "read" else _WRITE
        self.who = f"the identity to {role} with"
        self._credentials: Any = None
        self._apis: dict[Name, Any] = {}
        self._opening = Lock()

    def __repr__(self) -> str:
        return f"Connection({self.place!r}, {self.who!r})"

    def ask(self, api: Name, asked: str, made: Callable[[Any], Any]) -> Api:
        """The answer to the request that ``made`` makes of an API.

        Args:
            asked: the question in words, for messages.

        Raises:
            ToolFailed: by its kind; the reason names the place and what was asked.
        """
        import google_auth_httplib2  # it has no types
        import httplib2
        from google.auth.exceptions import GoogleAuthError
        from googleapiclient.errors import HttpError

        wire = httplib2.Http(timeout=self._options.read_timeout_s)
        try:
            request = made(self._api(api))
            http = google_auth_httplib2.AuthorizedHttp(self._credentials, http=wire)
            found: Api = request.execute(http=http, num_retries=self._options.attempts - 1)
        except HttpError as error:
            status = int(error.resp.status)
            raise failures.refused(self.place, asked, status, error.content, self.who) from error
        except GoogleAuthError as error:
            raise failures.nobody(self.place, asked, error, self.who) from error
        except (OSError, httplib2.HttpLib2Error) as error:
            raise failures.unanswered(self.place, asked, error) from error
        finally:
            wire.close()
        return found

    def pages(self, api: Name, asked: str, made: Callable[[Any, str | None], Any]) -> Found[Api]:
        """Every page, at most ``MOST_PAGES``; ``made`` is given the token of the page.

        Where a later page fails, what came before it is kept and the rest is unread.

        Raises:
            ToolFailed: the first page failed.
        """
        found: list[Api] = []
        token: str | None = None
        while len(found) < MOST_PAGES:
            try:
                page = self.ask(api, asked, partial(_at, made, token))
            except ToolFailed as failure:
                if not found:
                    raise
                late = Unread(f"{asked} after {len(found)} pages", str(failure))
                return Found(tuple(found), (late,))
            found.append(page)
            token = page.get("nextPageToken")
            if not token:
                return Found(tuple(found))
        return Found(tuple(found), left_out=True)

    def close(self) -> None:
        """Forget credentials; connections end with their requests."""
        self._apis.clear()
        self._credentials = None

    def _api(self, name: Name) -> Any:
        from googleapiclient.discovery import build

        with self._opening:
            if self._credentials is None:
                self._credentials = self._opened()
            if name not in self._apis:
                at = (self._options.endpoint_url or "").rstrip("/")
                elsewhere = {"api_endpoint": f"{at}{_PATHS[name]}"} if at else None
                self._apis[name] = build(
                    name,
                    _VERSIONS[name],
                    credentials=self._credentials,
                    static_discovery=True,
                    client_options=elsewhere,
                )
            return self._apis[name]

    def _opened(self) -> Any:
        import google.auth
        from google.auth import impersonated_credentials
        from google.oauth2 import service_account

        role = self._identity.impersonate
        scopes = self._scopes if role is None else _TO_IMPERSONATE
        key = self._identity.credentials_file
        try:
            if key is None:
                own, _ = google.auth.default(scopes=scopes)
            else:
                own = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                    key, scopes=scopes
                )
        except (OSError, ValueError) as error:
            raise failures.nobody(self.place, "credentials", error, self.who) from error
        if role is None:
            return own
        return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
            own, role, list(self._scopes)
        )


def _at(made: Callable[[Any, str | None], Any], token: str | None, api: Any) -> Any:
    return made(api, token)
