"""Readers of models that mix their sequence otherwise than by softmax attention, in all layers or in some."""
