"""The least server one can write on the SDK: what ours is measured against. `one_tool_server.py [stdio|http PORT]`."""

import sys

from mcp.server import MCPServer

server = MCPServer("one-tool")


@server.tool()
def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    if sys.argv[1:2] == ["http"]:
        server.run("streamable-http", port=int(sys.argv[2]))
    else:
        server.run()
