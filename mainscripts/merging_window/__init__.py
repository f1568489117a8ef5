"""Merging frame by frame: settings with undo, work behind the window, and the window."""
