"""Weight files of other programs: read without them, recognised, translated to our networks."""
