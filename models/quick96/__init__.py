"""Quick96: the small DF model for fast first results."""
