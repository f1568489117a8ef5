"""Iterative distribution transfer, written anew as a reference."""

import numpy as np


def idt_by_hand(colors, reference, rotations):
    """Rotation by rotation and axis by axis, with np.histogram and np.interp."""
    x = colors.copy()
    for rotation in rotations:
        turned, wanted = x @ rotation.T, reference @ rotation.T
        moved = np.empty_like(turned)
        for axis in range(3):
            low = min(turned[:, axis].min(), wanted[:, axis].min())
            high = max(turned[:, axis].max(), wanted[:, axis].max())
            counts, edges = np.histogram(turned[:, axis], 256, (low, high))
            wanted_counts, _ = np.histogram(wanted[:, axis], 256, (low, high))
            share = np.r_[0, np.cumsum(counts)] / len(x)
            wanted_share = np.r_[0, np.cumsum(wanted_counts)] / len(reference)
            last = np.flatnonzero(wanted_counts).max() + 2
            targets = np.interp(share, wanted_share[:last], edges[:last])
            moved[:, axis] = np.interp(turned[:, axis], edges, targets)
        x += (moved - turned) @ rotation / 20
    return x
