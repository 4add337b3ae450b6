"""A change to a cloud as a tool: looked at, carried out on what was looked at, looked at again.

Providers have neither dry runs of these calls nor compare-and-swap: a preview is made of what is
read, and right before the change everything is read once more. What somebody else changes between
that read and the change is seen only by the verification.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aiops.errors import Drifted
from aiops.model.tool import Preview, Risk, Target, ToolResult, ToolSpec, Verified
from aiops.ports.tools import Progress, ToolContext
from aiops_tools.cloud.places import InPlace, must_be
from aiops_tools.questions import read_arguments
from aiops_tools.spec import Result, answered, writing
from aiops_tools.watching import Standing, watched


class Placed(Protocol):
    """Something that changes one place."""

    place: str


Hand = TypeVar("Hand", bound=Placed)
Asked = TypeVar("Asked", bound=InPlace)


class Requested(Result):
    """What was asked of the provider."""

    cluster: str
    kind: str
    name: str
    request: str


@dataclass(frozen=True, slots=True)
class Act(Generic[Hand, Asked]):
    """One kind of change; its functions block and raise ToolFailed.

    Attributes:
        verb: the tool's name without its toolset.
        preview: given the toolset's name too, by which its undo is called.
        apply: asks the provider, given a key that is the same for the same call.
        standing: how far it has come since it was previewed.
        timeout_s: that machines may take to start or end.
    """

    verb: str
    description: str
    asks: type[Asked]
    preview: Callable[[str, Hand, Asked], Preview]
    apply: Callable[[Hand, Asked, str], None]
    standing: Callable[[Hand, Asked, Preview], Standing]
    risk: Risk
    reversible: bool = True
    idempotent: bool = True
    examples: tuple[str, ...] = ()
    timeout_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Acting(Generic[Hand, Asked]):
    """A Writing over one place."""

    spec: ToolSpec
    act: Act[Hand, Asked]
    hand: Hand = field(repr=False)

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        """See Writing."""
        del context
        return await self._previewed(self._asked(arguments))

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        """See Writing."""
        asked = self._asked(arguments)
        now = await self._previewed(asked)
        if (now.state, now.targets) != (preview.state, preview.targets):
            raise Drifted(f"{preview.summary}: it is not as it was; look at it anew")
        await asyncio.to_thread(self.act.apply, self.hand, asked, context.key)
        return _told(preview)

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        """See Writing."""
        asked = self._asked(arguments)
        return await watched(
            lambda: self.act.standing(self.hand, asked, preview),
            self.spec.timeout_s,
            lambda seen: context.report(Progress(None, seen)),
        )

    def _asked(self, arguments: Mapping[str, Any]) -> Asked:
        asked = read_arguments(self.act.asks, arguments)
        must_be(self.hand.place, asked)
        return asked

    async def _previewed(self, asked: Asked) -> Preview:
        return await asyncio.to_thread(self.act.preview, self.spec.toolset, self.hand, asked)


def acting(
    toolset: str, act: Act[Hand, Asked], hand: Hand, timeout_s: float | None = None
) -> Acting[Hand, Asked]:
    """``act`` as a tool of the toolset; within another time than its own where one is given."""
    spec = writing(
        f"{toolset}.{act.verb}",
        act.description,
        act.asks,
        Requested,
        risk=act.risk,
        idempotent=act.idempotent,
        reversible=act.reversible,
        timeout_s=timeout_s or act.timeout_s,
        examples=act.examples,
    )
    return Acting(spec, act, hand)


def field_diff(target: Target, name: str, before: object, after: object) -> str:
    """A unified diff of one field of ``target``."""
    return f"--- {target} (now)\n+++ {target} (then)\n-{name}: {before}\n+{name}: {after}"


def _told(preview: Preview) -> ToolResult:
    target = preview.targets[0]
    result = Requested(
        cluster=target.cluster, kind=target.kind, name=target.name, request=preview.summary
    )
    return answered(result, f"{preview.summary}: the provider took the request")
