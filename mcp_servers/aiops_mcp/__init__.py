"""One thin MCP server a toolset: it publishes the tools and holds no logic of its own."""
