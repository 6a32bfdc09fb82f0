"""Offline: backtest, fit, accuracy and benchmarks against papers; nothing that serves an answer knows it."""
