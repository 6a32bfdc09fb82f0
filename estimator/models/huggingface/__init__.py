"""Hugging Face configurations, read into models; knows no devices, layouts or time."""
