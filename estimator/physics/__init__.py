"""Seconds and bytes of a step, and the best legal layout; knows no published runs, words or files."""
