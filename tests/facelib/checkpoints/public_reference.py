"""What public PyTorch implementations computed, and the weights with which they did."""

import functools
import json
from pathlib import Path

import numpy as np

from facelib.checkpoints.layouts import LAYOUTS
from tests.facelib.checkpoints.random_weights import random_state

FOLDER = Path(__file__).with_name("public")


@functools.cache
def public(name):
    """The arrays of `public/<name>.npz`, see `make_public.py`."""
    with np.load(FOLDER / f"{name}.npz") as archive:
        return {key: archive[key] for key in archive.files}


@functools.cache
def torch_state(name):
    """The state dict that was used: name in PyTorch -> array."""
    return random_state(json.loads(str(public(name)["shapes"])))


@functools.cache
def our_state(name, network):
    """The same for our network: path -> array."""
    arrays = torch_state(name)
    (layout,) = (layout for layout in LAYOUTS
                 if layout.network == network and layout.fits(arrays))
    return layout.translate(arrays)


def assert_close(ours, public_values, tolerance=1e-4):
    """Equal up to a share of the largest value."""
    assert ours.shape == public_values.shape
    scale = np.abs(public_values).max()
    assert np.abs(ours - public_values).max() <= tolerance * scale
