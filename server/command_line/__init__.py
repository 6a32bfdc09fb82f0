"""The commands and their flags, for people and scripts."""
