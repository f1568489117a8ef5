"""The parts of `merge`: faces of the frames, what is done to them, what is written."""
