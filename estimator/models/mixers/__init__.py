"""Sequence mixers: how the tokens of a sequence learn of one another, each as a table of operations."""
