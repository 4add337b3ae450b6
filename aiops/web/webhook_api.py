"""``POST /webhooks/{source}`` in the OpenAPI document.

Requests do not come this way: ``webhooks.Shortcut`` answers them before the API sees them.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from aiops.web.bodies import Told
from aiops.web.errors import ERRORS
from aiops.web.webhooks import Webhooks

_ANSWERED = (401, 404, 413, 422, 503)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "As the sender writes it: docs/webhooks.md says which senders are known.",
        "content": {"application/json": {"schema": {}}, "*/*": {"schema": {}}},
    }
}


class TakenIn(Told):
    """What was kept; it survives a crash from now on."""

    delivery: str = Field(description="its id; a repetition that is marked as one has the same")
    alerts: int | None = Field(default=None, ge=0, description="how many came")
    changes: int | None = Field(default=None, ge=0, description="how many came")


def router_for(webhooks: Webhooks) -> APIRouter:
    """The route of all sources, as a document describes it."""
    router = APIRouter(
        tags=["webhooks"],
        responses={
            **{status: ERRORS[status] for status in _ANSWERED},
            404: {**ERRORS[404], "description": "No webhook of that name is configured"},
        },
    )

    @router.post(
        "/webhooks/{source}",
        summary="Take alerts or changes in",
        status_code=202,
        response_model=TakenIn,
        openapi_extra=_BODY,
    )
    async def take_in(
        source: Annotated[str, Path(min_length=1, description="The webhook's name.")],
        request: Request,
    ) -> Response:
        """202 once it is kept. Proofs of origin: docs/webhooks.md."""
        del source
        return await webhooks.receive(request)

    return router
