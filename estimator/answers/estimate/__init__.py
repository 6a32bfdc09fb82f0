"""How long training takes, at what cost and how surely; knows no other answer."""
