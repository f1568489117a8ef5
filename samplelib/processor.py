"""From a prepared face and a geometry to the arrays of one sample."""

from typing import Any

import cv2
import numpy as np

from core.geometry import compose_affine, invert_affine
from core.imaging.hsv import shift_hsv
from samplelib.geometry import Geometry, picture_to_sample, sampling_map
from samplelib.hsv_shift import HsvShift
from samplelib.prepared_face import PLANES, PreparedFace
from samplelib.recipe import OUTPUTS, SampleRecipe


def make_sample(face: PreparedFace, recipe: SampleRecipe, geometry: Geometry,
                rng: np.random.Generator,
                hsv_shift: HsvShift | None = None) -> dict[str, np.ndarray]:
    """Makes one sample; every output is resampled once, straight from the stored pixels.

    Args:
        face: Prepared for the same recipe.
        recipe: Which outputs, at which size.
        geometry: Shared by all outputs.
        rng: For the outputs' steps.
        hsv_shift: Of the warped outputs; None for none.

    Returns:
        Output name -> (R, R, 3) BGR image or (R, R, 1) mask, uint8.
    """
    sample_to_picture = invert_affine(picture_to_sample(geometry, recipe.resolution))
    resampled: dict[tuple[str, bool], np.ndarray] = {}
    sample = {}
    for name in recipe.outputs:
        output = OUTPUTS[name]
        warp = geometry.warp if output.is_warped else None
        key = output.plane, warp is not None
        if key not in resampled:
            resampled[key] = _resample(
                face, output.plane, recipe.resolution, sample_to_picture, warp)
        array = resampled[key]
        for step in output.steps:
            array = step(array, rng)
        if output.is_warped and hsv_shift is not None:
            array = shift_hsv(array, *hsv_shift)
        sample[name] = array
    return sample


def _resample(face: PreparedFace, name: str, side: int, sample_to_picture: np.ndarray,
              warp: np.ndarray | None) -> np.ndarray:
    """Reads one plane through the geometry: (R, R, C) uint8."""
    plane = PLANES[name]
    source = face.planes[name]
    border: dict[str, Any] = {"borderMode": plane.border, "borderValue": 0}
    if warp is None:
        array = cv2.warpAffine(
            source, compose_affine(sample_to_picture, face.picture_to_source), (side, side),
            flags=plane.interpolation | cv2.WARP_INVERSE_MAP, **border)
    else:
        places = sampling_map(warp, side, sample_to_picture, face.picture_to_source)
        array = cv2.remap(source, places, None, plane.interpolation, **border)
    return array.reshape(side, side, -1)
