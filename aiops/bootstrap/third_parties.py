"""Other people's MCP servers that are configured: each a toolset, none with the name of ours."""

from collections.abc import Sequence

from aiops.errors import InvalidInput
from aiops.settings import Settings
from aiops.toolbelt.mcp_third_party import ThirdParty


def third_party(settings: Settings, name: str, taken: Sequence[str]) -> ThirdParty:
    """The server of ``[mcp.<name>]``, not connected yet.

    Args:
        taken: names of our own toolsets, whose place no server may take.

    Raises:
        InvalidInput: a name that is taken, a wrong option, a damaged file of pins.
    """
    if name in taken:
        raise InvalidInput(
            f"setting 'mcp.{name}': tools of aiops are called so; call the server otherwise"
        )
    return ThirdParty.connect(name, settings.mcp[name], None)
