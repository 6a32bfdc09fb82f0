"""From a caller's words to a run: model, device, amount, method, layout; knows no time."""
