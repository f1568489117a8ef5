"""From prediction to frame, in NumPy and OpenCV only."""
