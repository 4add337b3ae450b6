"""The wire to one account and region as one identity, over boto3."""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, Final

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.aws import failures
from aiops_tools.cloud.aws.options import AwsOptions
from aiops_tools.cloud.port import Found

Api = Mapping[str, Any]
MOST_ROWS: Final = 2000
"""Of one list; whoever wants more asks for something narrower."""


class Connection:
    """Requests to one place as one identity; safe to share between threads.

    Retries are botocore's standard mode, bounded by the option ``attempts``.
    """

    def __init__(self, options: AwsOptions, role: str) -> None:
        """Args: role: "read" or "write". Opens no connection yet."""
        self.place, self._options = options.place, options
        self._identity = options.reader if role == "read" else options.writer
        self.who = f"the identity to {role} with"
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._opening = Lock()

    def __repr__(self) -> str:
        return f"Connection({self.place!r}, {self.who!r})"

    def ask(self, service: str, operation: str, asked: str, /, **given: object) -> Api:
        """The answer to one operation, "describe_instances" of "ec2".

        Args:
            asked: the question in words, for messages.

        Raises:
            ToolFailed: by its kind; the reason names the place and what was asked.
        """

        found: Api = self._guarded(
            asked, lambda: getattr(self._client(service), operation)(**given)
        )
        return found

    def rows(
        self, service: str, operation: str, key: str, asked: str, /, **given: object
    ) -> Found[Api]:
        """All rows under ``key`` of an operation with pages, at most ``MOST_ROWS``.

        Where a later page fails, what came before it is kept and the rest is unread.

        Raises:
            ToolFailed: the first page failed.
        """
        pages = self._guarded(
            asked,
            lambda: iter(self._client(service).get_paginator(operation).paginate(**given)),
        )
        found: list[Api] = []
        while True:
            try:
                page = self._guarded(asked, lambda: _next(pages))
            except ToolFailed as failure:
                if not found:
                    raise
                return Found(tuple(found), (Unread(f"{asked} after {len(found)}", str(failure)),))
            if page is None:
                return Found(tuple(found))
            found += page.get(key) or ()
            if len(found) >= MOST_ROWS:
                return Found(tuple(found[:MOST_ROWS]), left_out=True)

    def close(self) -> None:
        """Give connections back."""
        with self._opening:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _guarded(self, asked: str, work: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return work()
        except ClientError as error:
            raise failures.refused(self.place, asked, error, self.who) from error
        except BotoCoreError as error:
            raise failures.unanswered(self.place, asked, error, self.who) from error

    def _client(self, service: str) -> Any:
        with self._opening:
            if self._session is None:
                session = self._opened()
                self._must_be_the_account(session)
                self._session = session
            if service not in self._clients:
                self._clients[service] = self._made(self._session, service)
            return self._clients[service]

    def _made(self, session: Any, service: str) -> Any:
        from botocore.config import Config

        chosen = self._options
        config = Config(
            connect_timeout=chosen.connect_timeout_s,
            read_timeout=chosen.read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": chosen.attempts},
            user_agent_extra="aiops",
        )
        return session.client(
            service, region_name=chosen.region, endpoint_url=chosen.endpoint_url, config=config
        )

    def _opened(self) -> Any:
        import boto3
        from botocore.session import Session

        core = Session(profile=self._identity.profile)
        if self._identity.credentials_file is not None:
            core.set_config_variable("credentials_file", str(self._identity.credentials_file))
        session = boto3.session.Session(botocore_session=core)
        if self._identity.role_arn is None:
            return session
        return boto3.session.Session(botocore_session=self._as_role(core, self._identity.role_arn))

    def _as_role(self, core: Any, role_arn: str) -> Any:
        """A session as the role, whose credentials are renewed before they expire."""
        from botocore.credentials import (
            AssumeRoleCredentialFetcher,
            CredentialResolver,
            DeferredRefreshableCredentials,
        )
        from botocore.session import Session

        def client(service: str, **given: Any) -> Any:
            chosen = self._options
            return core.create_client(
                service, region_name=chosen.region, endpoint_url=chosen.endpoint_url, **given
            )

        source = core.get_credentials()
        if source is None:
            raise ToolFailed(
                "unauthorized",
                f"{self.place}: nobody is there to assume {role_arn}; give a profile, or log in",
            )
        fetcher = AssumeRoleCredentialFetcher(
            client, source, role_arn, extra_args={"RoleSessionName": "aiops"}
        )

        class OnlyTheRole:
            METHOD = CANONICAL_NAME = "assume-role"

            def load(self) -> Any:
                return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)

        session = Session()
        session.register_component("credential_provider", CredentialResolver([OnlyTheRole()]))
        return session

    def _must_be_the_account(self, session: Any) -> None:
        client = self._made(session, "sts")
        try:
            found = client.get_caller_identity()["Account"]
        finally:
            client.close()
        if found != self._options.account:
            raise ToolFailed(
                "forbidden",
                f"{self.place}: {self.who} belongs to account {found}; correct its profile or "
                "role, or the option 'account'; nothing was asked",
            )


def _next(pages: Iterator[Api]) -> Api | None:
    return next(pages, None)
