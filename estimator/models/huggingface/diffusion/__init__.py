"""Denoisers as Diffusers' configurations describe them."""
