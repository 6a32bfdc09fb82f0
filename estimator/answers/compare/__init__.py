"""Every combination of options, priced and ranked; knows no answer but `estimate`."""
