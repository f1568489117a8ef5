"""Judges of faces, for adversarial training."""
