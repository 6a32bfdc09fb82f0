"""The program's version, which every estimate names and hashes into its id."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
