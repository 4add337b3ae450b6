"""The wire to one cluster as one identity, over the official client.

Answers are read as bytes and decoded once: typed models of 500 pods cost several times as much.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from aiops.errors import ToolFailed
from aiops_tools.kubernetes import failures
from aiops_tools.kubernetes.decoding import decoded
from aiops_tools.kubernetes.options import ClusterOptions, Identity

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Connection:
    """Requests to one cluster as one identity; safe to share between threads."""

    def __init__(self, options: ClusterOptions, identity: Identity, role: str) -> None:
        """Args: role: "read" or "write", for messages. Opens no connection yet."""
        self.cluster, self._options = options.cluster, options
        self._identity = identity
        self._role = f"the identity to {role} with"
        self._client: ApiClient | None = None
        self._opening = Lock()

    def __repr__(self) -> str:
        return f"Connection({self.cluster!r}, {self._role!r})"

    def ask(
        self,
        verb: Verb,
        path: str,
        query: Mapping[str, str | int | bool] | None = None,
        *,
        asked: str,
        body: object = None,
        content: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        """The answer's body.

        Args:
            path: already quoted; see ``path``.
            asked: the question in words, for messages.

        Raises:
            ToolFailed: by its kind; the reason names the cluster and what was asked.
        """
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        client = self._opened()
        headers = {"Accept": accept}
        if verb != "GET":
            headers["Content-Type"] = content
        asking = [(key, _plain(value)) for key, value in (query or {}).items()]
        try:
            method, url, headers, sent, form = client.param_serialize(
                verb, path, {}, asking, headers, body, auth_settings=["BearerToken"]
            )
            timeout = (self._options.connect_timeout_s, self._options.read_timeout_s)
            answer = client.call_api(method, url, headers, sent, form, _request_timeout=timeout)
            limit = self._options.max_bytes
            found: bytes = answer.response.read(limit + 1, decode_content=True)
            # What is left unread must not be taken for the next answer.
            (answer.response.close if len(found) > limit else answer.response.release_conn)()
        except (HTTPError, ApiException, OSError) as error:
            raise failures.unreachable(self.cluster, asked, error) from error
        if len(found) > limit:
            raise ToolFailed(
                "invalid",
                f"{asked} of cluster {self.cluster}: the answer is over {limit} bytes; ask for "
                "less",
            )
        if not 200 <= answer.status < 300:
            raise failures.refused(self.cluster, asked, answer.status, found, self._role)
        return found

    def json(
        self,
        verb: Verb,
        path: str,
        query: Mapping[str, str | int | bool] | None = None,
        *,
        asked: str,
        body: object = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        """The answer as an object; raises as ``ask`` does."""
        text = self.ask(verb, path, query, asked=asked, body=body, content=content)
        try:
            found = decoded(text)
        except ValueError as error:
            raise ToolFailed(
                "failed", f"{asked} of cluster {self.cluster}: the answer is no JSON; is it an API?"
            ) from error
        if not isinstance(found, dict):
            raise ToolFailed("failed", f"{asked} of cluster {self.cluster}: no object came back")
        return found

    def close(self) -> None:
        """Give connections back."""
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    def _opened(self) -> "ApiClient":
        with self._opening:
            self._client = self._client or self._open()
            return self._client

    def _open(self) -> "ApiClient":
        from kubernetes.client import ApiClient

        configuration: Any = self._configuration()
        configuration.retries = False  # the caller decides, and redirects take no token along
        if self._identity.token_file is not None:
            token = self._identity.token_file
            configuration.cert_file = configuration.key_file = None
            configuration.api_key_prefix = {}
            configuration.refresh_api_key_hook = lambda one: one.api_key.update(
                BearerToken=f"Bearer {_text(token)}"
            )
            configuration.api_key = {"BearerToken": ""}
        client = ApiClient(configuration)
        if self._identity.impersonate:
            client.set_default_header(  # type: ignore[no-untyped-call]
                "Impersonate-User", self._identity.impersonate
            )
        return client

    def _configuration(self) -> "Configuration":
        from kubernetes import config
        from kubernetes.client import Configuration

        chosen = Configuration()
        options, identity = self._options, self._identity
        if options.server is not None:
            chosen.host = options.server.rstrip("/")
            chosen.ssl_ca_cert = str(options.ca_file) if options.ca_file else None
            return chosen
        try:
            if identity.kubeconfig is None:
                config.load_incluster_config(  # type: ignore[no-untyped-call]
                    client_configuration=chosen
                )
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    str(identity.kubeconfig.expanduser()),
                    identity.context,
                    client_configuration=chosen,
                    persist_config=False,
                )
        except (config.ConfigException, OSError, ValueError) as error:
            place = identity.kubeconfig or "the pod's service account"
            why = " ".join(str(error).split())[:200]
            raise ToolFailed(
                "unauthorized",
                f"cluster {self.cluster}: {self._role} cannot be read from {place} ({why}); check "
                "the file and its context",
            ) from error
        return chosen


def path(*parts: str) -> str:
    """Parts of a path, each quoted, so that no name leads elsewhere."""
    if any(part in ("", ".", "..") for part in parts):
        raise ToolFailed("invalid", "a name is empty; say which object is meant")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _plain(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(file: Path) -> str:
    try:
        return file.expanduser().read_text().strip()
    except OSError as error:
        raise ToolFailed(
            "unauthorized",
            f"the token file {file} cannot be read ({error.strerror}); mount or renew it",
        ) from error
