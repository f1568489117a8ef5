"""A thin graph-mode layer library on pure TensorFlow; it knows tensors, no faces."""
