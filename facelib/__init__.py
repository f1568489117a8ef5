"""Faces as arrays: detection, landmarks, alignment, masks, pose."""
