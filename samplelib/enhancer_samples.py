"""Training samples of an enhancer: a face, and the same face small and spoilt."""

import cv2
import numpy as np

from core.errors import NoFacesFound
from core.imaging.io import decode_image, encode_image
from samplelib.batch_stream import Sample
from samplelib.bounded_cache import BoundedCache
from samplelib.face_image import read_picture
from samplelib.face_source import UNREADABLE, Problem, Problems
from samplelib.faceset import Faceset
from samplelib.order import Shuffled, sample_rng

FACTOR = 4
CACHE_BYTES = 256 * 2**20

_LARGEST_BLUR, _LARGEST_NOISE, _WORST_JPEG = 1.5, 6.0, 40
"""At a softness of 1: standard deviations in small pixels and levels, and quality."""


class EnhancerSamples:
    """Makes the sample of any position; it depends on the seed and the position alone.

    Samples are "small", (P, P, 3) uint8 BGR, and "large", (4 P, 4 P, 3) uint8 BGR.
    """

    def __init__(self, faceset: Faceset, patch: int, softness: float, seed: int,
                 problems: Problems):
        """
        Args:
            faceset: The faces.
            patch: Side P of the small ones.
            softness: How far they are spoilt, 0 to 1.
            seed: Fixes all chance.
            problems: Where faces that cannot be read are noted.
        """
        self._faceset, self._patch, self._softness = faceset, patch, softness
        self._seed, self._problems = seed, problems
        self._order = Shuffled(seed, len(faceset.faces))
        self._cache: BoundedCache[np.ndarray] = BoundedCache(CACHE_BYTES, lambda face: face.nbytes)

    def make(self, position: int) -> Sample:
        """One sample.

        Raises:
            NoFacesFound: No face can be read any more.
        """
        rng = sample_rng(self._seed, position)
        large = cut_out(self._face(position), FACTOR * self._patch, rng)
        small = cv2.resize(large, (self._patch, self._patch), interpolation=cv2.INTER_AREA)
        return {"small": spoilt(small, self._softness, rng), "large": large}

    def _face(self, position: int) -> np.ndarray:
        for index in self._order.candidates(position):
            known = self._cache.find(index)
            if known is not None:
                return known
            path = self._faceset.faces[index].path
            try:
                return self._cache.keep(index, read_picture(path))
            except UNREADABLE as error:
                self._problems.note(Problem(path, str(error)))
        raise NoFacesFound("no face can be read any more; extract the faces again")


def cut_out(face: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A part of a face at a random size and place, mirrored at random.

    Args:
        face: (S, S, 3) uint8; where it is smaller than the part, it is enlarged.
        side: Of the part, pixels.
        rng: All chance.

    Returns:
        (side, side, 3) uint8. Detail is only made smaller, never larger, if `face` allows that.
    """
    largest = face.shape[0]
    taken = int(round(rng.uniform(min(side, largest), largest)))
    x, y = (int(rng.integers(0, largest - taken + 1)) for _ in range(2))
    part = face[y:y + taken, x:x + taken]
    if taken != side:
        shrinks = taken > side
        part = cv2.resize(part, (side, side),
                          interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def spoilt(small: np.ndarray, softness: float, rng: np.random.Generator) -> np.ndarray:
    """A small face as a model would have predicted it: softer; noisy and compressed as film is.

    Args:
        small: (P, P, 3) uint8 BGR.
        softness: How far at most, 0 to 1.
        rng: All chance.
    """
    blur, noise = rng.uniform(0, softness, 2) * (_LARGEST_BLUR, _LARGEST_NOISE)
    picture = small.astype(np.float32)
    if blur > 0.1:
        picture = cv2.GaussianBlur(picture, (0, 0), blur, borderType=cv2.BORDER_REFLECT)
    picture += rng.normal(0, noise, (*small.shape[:2], 1)).astype(np.float32)
    levels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if rng.random() >= softness:
        return levels
    quality = int(rng.integers(_WORST_JPEG, 96))
    return decode_image(encode_image(levels, ".jpg", jpeg_quality=quality), "sample")
