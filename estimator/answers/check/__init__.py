"""Whether an observed speed is normal, and if not, why; knows no answer but `estimate`."""
