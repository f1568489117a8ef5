"""From a prepared face and a geometry to the arrays of one sample."""

from typing import Any

import cv2
import numpy as np

from core.geometry import compose_affine, invert_affine
from samplelib.face_cache import PLANES, PreparedFace
from samplelib.geometry import Geometry, picture_to_sample, sampling_map
from samplelib.recipe import OUTPUTS, SampleRecipe


def make_sample(face: PreparedFace, recipe: SampleRecipe, geometry: Geometry,
                rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Makes one sample; every output is resampled once, straight from the stored pixels.

    Args:
        face: Prepared for the same recipe.
        recipe: Which outputs, at which size.
        geometry: Shared by all outputs.
        rng: For the outputs' steps.

    Returns:
        Output name -> (R, R, 3) BGR image or (R, R, 1) mask, float32 in [0, 1].
    """
    resampled: dict[tuple[str, bool], np.ndarray] = {}
    sample = {}
    for name in recipe.outputs:
        output = OUTPUTS[name]
        is_warped = output.is_warped and geometry.warp is not None
        key = output.plane, is_warped
        if key not in resampled:
            resampled[key] = _resample(face, output.plane, geometry, recipe.resolution, is_warped)
        array = resampled[key]
        for step in output.steps:
            array = step(array, rng)
        sample[name] = array
    return sample


def _resample(face: PreparedFace, name: str, geometry: Geometry, side: int,
              is_warped: bool) -> np.ndarray:
    """Reads one plane through the geometry: (R, R, C) float32 in [0, 1]."""
    plane = PLANES[name]
    common: dict[str, Any] = {"borderMode": plane.border, "borderValue": 0}
    if is_warped:
        places = sampling_map(geometry, side, face.picture_to_source)
        array = cv2.remap(face.planes[name], places, None, plane.interpolation, **common)
    else:
        sample_to_source = compose_affine(
            invert_affine(picture_to_sample(geometry, side)), face.picture_to_source)
        array = cv2.warpAffine(face.planes[name], sample_to_source, (side, side),
                               flags=plane.interpolation | cv2.WARP_INVERSE_MAP, **common)
    return np.multiply(array, np.float32(1 / 255)).reshape(side, side, -1)
