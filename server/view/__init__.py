"""The page that shows an answer in a chat or from a file."""
