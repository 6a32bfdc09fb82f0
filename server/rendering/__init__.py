"""Answers for people, as text and tables in a terminal; knows no protocol."""
