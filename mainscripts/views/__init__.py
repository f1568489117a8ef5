"""What the user sees of a running training: a window, a web page, files, or TensorBoard."""
