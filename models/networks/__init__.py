"""Building blocks and autoencoders of the swap models."""
