"""AMP: the model whose swap morphs between dst and src."""
