"""Where the 6 or 8 of the rule of thumb comes from; knows no time and no other answer."""
