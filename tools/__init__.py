"""The MCP tools, one a file: arguments, an answer, and a call into the estimator."""
