"""The inverse: counts, tokens, sizes, layouts, devices under limits; knows no answer but `estimate`."""
