"""MCP over stdio and Streamable HTTP: who may connect, how much they may send, how serving ends."""
