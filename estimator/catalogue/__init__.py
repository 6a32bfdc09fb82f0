"""Sourced facts, loaded and checked once: accelerators, models, runs, prices; knows no questions."""
