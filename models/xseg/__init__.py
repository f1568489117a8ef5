"""XSeg: a segmenter that learns from a few labelled faces."""
