"""The toolset "aws" called the way the gateway calls its tools; no answer holds a secret."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_account import PLACE, Account
from jsonschema import Draft202012Validator
from small_world import context

from aiops.errors import ToolFailed
from aiops.model.canonical import parsed
from aiops.model.tool import Preview, ToolResult, Verified
from aiops_tools.cloud.aws.toolset import Aws

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
SECRETS = ("start-up-secret", "hunter2", "what-came-back", "secret-of-reader", "secret-of-writer")


class Tools:
    """The toolset's tools."""

    def __init__(self, toolset: Aws) -> None:
        self._by = {one.spec.name.partition(".")[2]: one for one in toolset.tools()}

    def read(self, verb: str, **arguments: Any) -> tuple[Mapping[str, Any], ToolResult]:
        one: Any = self._by[verb]
        given = {"cluster": PLACE, **arguments}
        Draft202012Validator(parsed(one.spec.arguments)).validate(given)
        result: ToolResult = asyncio.run(one.read(given, context()))
        content = parsed(result.content)
        Draft202012Validator(parsed(one.spec.result)).validate(content)
        assert result.summary
        assert not any(secret in repr(result) for secret in SECRETS)
        return content, result

    def preview(self, verb: str, **arguments: Any) -> Preview:
        one: Any = self._by[verb]
        found: Preview = asyncio.run(one.preview({"cluster": PLACE, **arguments}, context()))
        return found

    def apply(self, verb: str, preview: Preview, **arguments: Any) -> ToolResult:
        one: Any = self._by[verb]
        given = {"cluster": PLACE, **arguments}
        found: ToolResult = asyncio.run(one.apply(given, preview, context()))
        Draft202012Validator(parsed(one.spec.result)).validate(parsed(found.content))
        return found

    def verify(self, verb: str, preview: Preview, **arguments: Any) -> Verified:
        one: Any = self._by[verb]
        given = {"cluster": PLACE, **arguments}
        found: Verified = asyncio.run(one.verify(given, preview, context()))
        return found

    def do(self, verb: str, **arguments: Any) -> tuple[Preview, Verified]:
        preview = self.preview(verb, **arguments)
        self.apply(verb, preview, **arguments)
        return preview, self.verify(verb, preview, **arguments)


def only_reader(account: Account, folder: Path, /, **more: Any) -> Aws:
    return Aws("aws", account.options(folder, write_profile=None, **more), lambda: NOW)


def failure(call: Any) -> ToolFailed:
    with pytest.raises(ToolFailed) as caught:
        call()
    assert not any(secret in str(caught.value) for secret in SECRETS)
    return caught.value
