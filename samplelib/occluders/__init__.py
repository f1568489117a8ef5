"""Drawn things in front of faces, for segmenters to learn from: one kind in each module."""
