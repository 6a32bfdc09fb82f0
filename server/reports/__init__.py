"""Answers as files to send on: Markdown, CSV, HTML; the same answer makes the same bytes."""
