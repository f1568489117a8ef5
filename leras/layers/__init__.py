"""Layers: modules whose parameters exist once they are built."""
