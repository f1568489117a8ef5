"""Training samples of a segmenter: faces with masks, varied, in front of other backgrounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facelib.face_type import FaceType
from samplelib.batch_stream import Batch, Sample, put_sample
from samplelib.face_source import FaceSource, Problems
from samplelib.faceset import Faceset
from samplelib.geometry import UNCHANGED, draw_geometry
from samplelib.labelled_faces import LabelledFaces
from samplelib.occluders.layer import Place, usual_points
from samplelib.occluders.table import occlude
from samplelib.order import Shuffled, Stream, sample_rng
from samplelib.picture_filters import degraded, flared, recolored
from samplelib.prepared_face import PreparedFace
from samplelib.processor import make_sample
from samplelib.recipe import SampleOptions, SampleRecipe

FACE_GEOMETRY = SampleOptions(random_flip=True)
BACKGROUND_GEOMETRY = SampleOptions(random_warp=False, random_flip=True, rotation=180, scale=0.1,
                                    shift=0.1)
CACHE_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Variety:
    """How far samples may differ from the faces.

    Attributes:
        backgrounds: Share of the samples in front of another face's surroundings.
        occluders: Share of the samples with drawn things in front of the face.
        filters: Share of the samples whose light, colours, sharpness, size and compression vary.
    """

    backgrounds: float = 0.5
    occluders: float = 0.0
    filters: float = 1.0


class SegmentationSamples:
    """Makes the sample of any position; it depends on the seed and the position alone.

    Samples are "image", (R, R, 3) uint8 BGR, and "mask", (R, R, 1) uint8: the share of the pixel
    that the face has. With masks of 0 and 1, a small network would learn that thin things are not
    there, or twice as wide.
    """

    def __init__(self, labelled: LabelledFaces, resolution: int, face_type: FaceType, seed: int,
                 variety: Variety, problems: Problems):
        """
        Args:
            labelled: The faces.
            resolution: Side R of the samples.
            face_type: How much of the head they show.
            seed: Fixes all chance.
            variety: See there.
            problems: Where faces that cannot be read are noted.
        """
        self._label = f"warped_{labelled.labels}"
        self._recipe = SampleRecipe(resolution, face_type, ("warped", self._label), FACE_GEOMETRY)
        self._faces = FaceSource(labelled, self._recipe, CACHE_BYTES, problems)
        self._order = Shuffled(seed, len(labelled.faces))
        self._others = Shuffled(seed, len(labelled.faces), Stream.BACKGROUNDS)
        self._seed, self._variety = seed, variety
        self._points = usual_points(face_type)

    def make(self, position: int) -> Sample:
        """One sample.

        Raises:
            NoFacesFound: No face can be read any more.
        """
        rng = sample_rng(self._seed, position)
        _, face = self._faces.first(self._order.candidates(position))
        image, mask = self._varied(face, FACE_GEOMETRY, rng)
        if rng.random() < max(self._variety.backgrounds, self._variety.occluders):
            image, mask = self._surrounded(position, image, mask, rng)
        if rng.random() < self._variety.filters:
            image = degraded(flared(image, mask, rng), rng)
        return {"image": to_bytes(image), "mask": to_bytes(mask)}

    def _surrounded(self, position: int, image: np.ndarray, mask: np.ndarray,
                    rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """What is behind the face and in front of it."""
        _, face = self._faces.first(self._others.candidates(position))
        other, other_mask = self._varied(face, BACKGROUND_GEOMETRY, rng)
        share = max(self._variety.backgrounds, self._variety.occluders)
        if rng.random() * share < self._variety.backgrounds:
            image = in_front_of(image, mask, other, other_mask, rng)
        if rng.random() * share < self._variety.occluders:
            image, mask = occlude(image, mask, Place(image, other, self._points), rng)
        return image, mask

    def _varied(self, face: PreparedFace, options: SampleOptions,
                rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        sample = make_sample(face, self._recipe, draw_geometry(options, rng), rng)
        return from_bytes(sample["warped"]), from_bytes(sample[self._label])


class WarpedFaces:
    """Samples of a pretraining: "image" as for a segmenter, "mask" the same face in shades of grey,
    (R, R, 1) uint8: what is drawn shows how much of the face has passed the bottom."""

    def __init__(self, faceset: Faceset, resolution: int, face_type: FaceType, seed: int,
                 problems: Problems):
        """As for `SegmentationSamples`; all faces are as wide as `face_type`."""
        self._recipe = SampleRecipe(resolution, face_type, ("warped",), FACE_GEOMETRY)
        self._faces = FaceSource(faceset, self._recipe, CACHE_BYTES, problems)
        self._order = Shuffled(seed, len(faceset.faces))
        self._seed = seed

    def make(self, position: int) -> Sample:
        """One sample; see `SegmentationSamples.make`."""
        rng = sample_rng(self._seed, position)
        _, face = self._faces.first(self._order.candidates(position))
        image = make_sample(face, self._recipe, draw_geometry(FACE_GEOMETRY, rng), rng)["warped"]
        return {"image": image, "mask": in_grey(image)}


def in_front_of(image: np.ndarray, mask: np.ndarray, other: np.ndarray, other_mask: np.ndarray,
                rng: np.random.Generator) -> np.ndarray:
    """Lets another picture, without its face, shine through the background of a face.

    Args:
        image, other: (R, R, 3) float32 in [0, 1].
        mask, other_mask: (R, R, 1) float32 in [0, 1].
    """
    behind = recolored(other * (1 - other_mask), rng)
    kept = 1 - (1 - other_mask) * (1 - mask)
    share = rng.uniform(0.15, 1)
    return image * kept + (1 - kept) * (image * share + behind * (1 - share))


def plain_faces(faceset: Faceset, resolution: int, face_type: FaceType,
                indices: Sequence[int]) -> Batch:
    """"image" of chosen faces, (N, R, R, 3) uint8, and "mask", (N, R, R, 1) uint8, the best that
    is known of each.

    Args:
        faceset: Where the faces come from.
        resolution, face_type: Of the pictures.
        indices: Into `faceset.faces`. A face that cannot be read is replaced by the next one.

    Raises:
        NoFacesFound: No face can be read.
    """
    names = ("target", "warped_drawn", "warped_stored", "warped_hull")
    recipe = SampleRecipe(resolution, face_type, names)
    faces, n_faces = FaceSource(faceset, recipe, 0, Problems()), len(faceset.faces)
    batch: Batch = {}
    for row, index in enumerate(indices):
        _, face = faces.first((index + skip) % n_faces for skip in range(n_faces))
        sample = make_sample(face, recipe, UNCHANGED, np.random.default_rng(0))
        mask = next(sample[name] for name in names[1:] if sample[name].any()
                    or name == names[-1])
        put_sample(batch, {"image": sample["target"], "mask": mask}, row, len(indices))
    return batch


def in_grey(image: np.ndarray) -> np.ndarray:
    """(R, R, 3) uint8 BGR -> (R, R, 1) uint8, luma of BT.601."""
    return np.rint(image @ np.array([0.114, 0.587, 0.299])).astype(np.uint8)[..., np.newaxis]


def from_bytes(picture: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in [0, 1]."""
    return picture.astype(np.float32) / 255


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] -> uint8."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
