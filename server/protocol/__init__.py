"""What clients see of the tools, prompts and resources; knows no transport."""
