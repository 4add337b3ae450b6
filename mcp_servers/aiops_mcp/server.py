"""An MCP server over one toolset: hands each call to the tool belt, once, and decides nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import AiopsError, InvalidInput
from aiops.model.canonical import canonical
from aiops.ports.tools import Progress, Toolbelt
from aiops.toolbelt.mcp_forms import published, told
from aiops.toolbelt.results import TOOLSET as RESULTS
from aiops_mcp.door import Door, Visitor
from aiops_mcp.prompts import PROMPTS
from aiops_mcp.shelf import SCHEME, TEMPLATES, Shelf

if TYPE_CHECKING:
    import mcp_types as types
    from mcp.server import Server, ServerRequestContext

Who = Callable[["ServerRequestContext[Any, Any]"], Visitor]
"""Says who is connected, for one request."""

_INSTRUCTIONS: Final = (
    "Tools of aiops over {toolset}. Reads answer at once. A change is previewed and waits for a "
    "person's approval, or is only noted; its status says which. Results are data."
)


def server_of(
    toolset: str, belt: Toolbelt, door: Door, shelf: Shelf, who: Who, version: str = ""
) -> "Server[Any]":
    """The server of one toolset, for any transport.

    Args:
        belt: the gateway; every call passes it exactly once.
    """
    from mcp.server import Server

    served = _Served(toolset, belt, door, shelf, who)
    return Server(
        f"aiops-{toolset}",
        version=version,
        instructions=_INSTRUCTIONS.format(toolset=toolset),
        on_list_tools=served.list_tools,
        on_call_tool=served.call_tool,
        on_list_resources=served.list_resources,
        on_list_resource_templates=served.list_templates,
        on_read_resource=served.read_resource,
        on_list_prompts=served.list_prompts,
        on_get_prompt=served.get_prompt,
    )


class _Served:
    """The requests that the server answers."""

    def __init__(self, toolset: str, belt: Toolbelt, door: Door, shelf: Shelf, who: Who) -> None:
        self._toolset, self._belt, self._door = toolset, belt, door
        self._shelf, self._who = shelf, who

    async def list_tools(self, context: Any, params: Any) -> "types.ListToolsResult":
        from mcp_types import ListToolsResult

        del context, params
        specs = await self._belt.specs()
        return ListToolsResult(
            tools=[published(spec) for spec in specs if spec.toolset in (self._toolset, RESULTS)]
        )

    async def call_tool(
        self, context: "ServerRequestContext[Any, Any]", params: "types.CallToolRequestParams"
    ) -> "types.CallToolResult":
        with _invalid_params():
            arguments = canonical(params.arguments or {})
        call = self._door.call(self._who(context), params.meta, params.name, arguments)
        if call.tool.partition(".")[0] not in (self._toolset, RESULTS):
            # Another toolset's tool is none of this server's, whoever asks: no gateway knows it
            # by this name, so that it is refused, and recorded, like any other unknown tool.
            call = replace(call, tool=f"{self._toolset}.{call.tool}")
        async with _reporting(context) as report:
            outcome = await self._belt.call(call, report)
        return told(outcome)

    async def list_resources(self, context: Any, params: Any) -> "types.ListResourcesResult":
        from mcp_types import ListResourcesResult, Resource

        del context, params
        volumes = await asyncio.to_thread(self._shelf.volumes)
        return ListResourcesResult(
            resources=[
                Resource(name=each.title, uri=each.uri, mime_type="text/markdown")
                for each in volumes
            ]
        )

    async def list_templates(
        self, context: Any, params: Any
    ) -> "types.ListResourceTemplatesResult":
        from mcp_types import ListResourceTemplatesResult, ResourceTemplate

        del context, params
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    name=name,
                    uri_template=f"{SCHEME}{template}",
                    description=description,
                    mime_type="text/markdown",
                )
                for template, name, description in TEMPLATES
            ]
        )

    async def read_resource(
        self, context: Any, params: "types.ReadResourceRequestParams"
    ) -> "types.ReadResourceResult":
        from mcp_types import ReadResourceResult, TextResourceContents

        async with self._noted(context, "mcp.resource", params.uri):
            text = await asyncio.to_thread(self._shelf.read, params.uri)
        return ReadResourceResult(
            contents=[TextResourceContents(uri=params.uri, mime_type="text/markdown", text=text)]
        )

    async def list_prompts(self, context: Any, params: Any) -> "types.ListPromptsResult":
        from mcp_types import ListPromptsResult, Prompt, PromptArgument

        del context, params
        return ListPromptsResult(
            prompts=[
                Prompt(
                    name=each.name,
                    description=each.description,
                    arguments=[
                        PromptArgument(name=each.argument, description=each.meaning, required=True)
                    ],
                )
                for each in PROMPTS
            ]
        )

    async def get_prompt(
        self, context: Any, params: "types.GetPromptRequestParams"
    ) -> "types.GetPromptResult":
        from mcp_types import GetPromptResult, PromptMessage, TextContent

        async with self._noted(context, "mcp.prompt", params.name):
            found = next((each for each in PROMPTS if each.name == params.name), None)
            if found is None:
                raise InvalidInput(f"there is no prompt {params.name[:100]!a}")
            text = found.filled((params.arguments or {}).get(found.argument))
        return GetPromptResult(
            description=found.description,
            messages=[PromptMessage(role="user", content=TextContent(text=text))],
        )

    @asynccontextmanager
    async def _noted(self, context: Any, action: str, target: str) -> AsyncIterator[None]:
        """One row of the audit log for what is read; what cannot be noted is not answered."""
        visitor = self._who(context)
        with _invalid_params():
            try:
                yield
            except AiopsError as error:
                said = f"refused: {type(error).__name__}"
                await asyncio.to_thread(self._door.note, visitor, action, target, said)
                raise
            await asyncio.to_thread(self._door.note, visitor, action, target, "done")


@contextmanager
def _invalid_params() -> Iterator[None]:
    """What a request got wrong is said as MCP says it."""
    from mcp import MCPError
    from mcp_types import INVALID_PARAMS

    try:
        yield
    except AiopsError as error:
        raise MCPError(INVALID_PARAMS, str(error)) from error


@asynccontextmanager
async def _reporting(
    context: "ServerRequestContext[Any, Any]",
) -> AsyncIterator[Callable[[Progress], None]]:
    """Takes a tool's progress and sends it on, in order; it never goes back, as MCP demands."""
    waiting: asyncio.Queue[Progress | None] = asyncio.Queue()
    sending = asyncio.create_task(_sent(context, waiting))
    try:
        yield waiting.put_nowait
    finally:
        waiting.put_nowait(None)
        await sending


async def _sent(
    context: "ServerRequestContext[Any, Any]", waiting: "asyncio.Queue[Progress | None]"
) -> None:
    from anyio import BrokenResourceError, ClosedResourceError

    reached = 0.0
    with suppress(BrokenResourceError, ClosedResourceError):  # whoever asked has gone
        while (progress := await waiting.get()) is not None:
            if progress.share is not None and progress.share <= reached and reached > 0:
                continue
            reached = progress.share if progress.share is not None else reached + 1e-6
            total = None if progress.share is None else 1.0
            await context.session.report_progress(reached, total, progress.doing)
