"""One folder for each question that callers ask; knows no MCP, files or clock."""
