"""What every room stands on: errors, units, names, checked inputs; knows no model, device or run."""
