"""Facesets on disk and training samples in memory."""
