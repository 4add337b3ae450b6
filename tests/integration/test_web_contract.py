"""What the OpenAPI document says is what the service does: nothing schemathesis finds differs."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance
from web import serving

from aiops.app.tokens import issue
from aiops.bootstrap.service import in_memory
from aiops.settings import Settings, WebSettings
from aiops.web.app import create

_SERVICE = in_memory(Settings(web=WebSettings(requests_per_minute=10_000_000)))
_ADMIN = issue(_SERVICE.tokens, _SERVICE.ids, _SERVICE.clock, bytes(32), "test", "admin", by="test")
_APP = create(_SERVICE)
schema = schemathesis.openapi.from_dict(_APP.openapi()).exclude(path="/api/v1/events")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(_APP) as found:
        yield found


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_are_answered_as_documented(case: Case, address: str) -> None:
    case.call_and_validate(
        base_url=address,
        headers={"Authorization": f"Bearer {_ADMIN.secret}"},
        # What fields mean together (a silence that ends before it starts) no schema can say.
        excluded_checks=[positive_data_acceptance],
    )
