"""What this machine's GPUs reach, measured within a budget of time."""
