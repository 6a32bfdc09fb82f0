"""Profiles of the caller's own machines: their form, and how one is read."""
