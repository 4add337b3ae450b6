"""An account of its own for each test, on one server of moto."""

from collections.abc import Iterator
from typing import Any

import aws_account
import pytest
from aws_account import Account
from aws_tools import NOW, Tools

from aiops_tools.cloud.aws.toolset import Aws


@pytest.fixture(scope="module")
def front() -> Iterator[Any]:
    with aws_account.server() as found:
        yield found


@pytest.fixture
def account(front: Any) -> Account:
    return aws_account.emptied(front)


@pytest.fixture(scope="module")
def toolset(front: Any, tmp_path_factory: Any) -> Iterator[Aws]:
    """One for all: its clients take a while to be made."""
    found = Aws("aws", front.account.options(tmp_path_factory.mktemp("keys")), lambda: NOW)
    yield found
    found.close()


@pytest.fixture
def tools(toolset: Aws, account: Account) -> Tools:
    return Tools(toolset)
