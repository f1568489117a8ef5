"""Sizes of FAN's input and output."""

CROP_SIZE = 256
"""Side of the crop of a face, pixels."""

MAP_SIZE = 64
"""Side of the heat maps, cells."""

N_STACKS = 4
"""Hourglasses of the released network."""
