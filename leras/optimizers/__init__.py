"""Optimizers as modules whose state is saved like any other."""
