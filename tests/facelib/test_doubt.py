"""How unsure a mask is, and its polygons in another size."""

import numpy as np
import pytest
from skimage.draw import disk, polygon2mask
from skimage.filters import gaussian

from facelib.doubt import doubt, suggested_polygons


def soft_disk(sigma):
    mask = np.zeros((128, 128), np.float32)
    mask[disk((64, 64), 40)] = 1
    return gaussian(mask, sigma)[..., np.newaxis].astype(np.float32) if sigma else mask[..., None]


def test_doubt_grows_with_the_softness_of_the_border():
    values = [doubt(soft_disk(sigma)) for sigma in (0, 1, 3, 6)]
    assert values[0] == 0 and values == sorted(values)
    assert doubt(np.full((8, 8, 1), 0.5, np.float32)) == pytest.approx(1 / np.sqrt(0.5))
    assert doubt(np.zeros((8, 8, 1), np.float32)) == 0


def test_suggestions_are_in_pixels_of_the_picture():
    (polygon,) = suggested_polygons(soft_disk(2), 512)
    wanted = np.zeros((512, 512), bool)
    wanted[disk((256, 256), 160)] = True
    drawn = polygon2mask((512, 512), polygon.points[:, ::-1])
    assert (wanted & drawn).sum() / (wanted | drawn).sum() > 0.96
    assert len(polygon.points) < 40
