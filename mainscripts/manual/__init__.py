"""Faces set by hand: a document of frames without a window, and the window that edits it."""
