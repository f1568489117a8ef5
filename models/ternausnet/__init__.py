"""TernausNet: a segmenter that starts from what VGG11 has learned of photographs."""
