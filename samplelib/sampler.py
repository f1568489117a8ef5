"""Batches of training samples, made ahead by threads and repeatable by their seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from samplelib.batch_stream import Batch, BatchStream, put_sample, require_at_least
from samplelib.color_source import ColorSource
from samplelib.face_source import FaceSource, Problem, Problems
from samplelib.faceset import Faceset
from samplelib.geometry import UNCHANGED
from samplelib.order import Balanced, FaceOrder, Shuffled
from samplelib.processor import make_sample
from samplelib.recipe import SampleOptions, SampleRecipe, require_coverage
from samplelib.sample_maker import SampleMaker
from samplelib.yaw_bins import yaw_bins

__all__ = ["Batch", "BatchGenerator", "Problem", "SampleOptions", "SampleRecipe", "preview_batch"]

DEFAULT_CACHE_BYTES = 128 * 2**20


class BatchGenerator(BatchStream):
    """Endless batches of random samples of a faceset.

    Sample i depends on the seed and on i alone; see `BatchStream`.

    Example:
        with BatchGenerator(faceset, recipe, 4, seed=1) as batches:
            batch = batches.next_batch()        # {"warped": (4, R, R, 3), ...}
    """

    def __init__(self, faceset: Faceset, recipe: SampleRecipe, batch_size: int, *, seed: int,
                 cache_bytes: int = DEFAULT_CACHE_BYTES, transfer_from: Faceset | None = None,
                 uniform_yaw: bool = False, **settings: Any):
        """
        Args:
            faceset: Where the faces come from; one that cannot be read is replaced by the next
                one of the epoch.
            recipe: What the samples are.
            batch_size: Samples per batch, over all processes that share one run.
            seed: Fixes the order of the faces and all chance; at least 0.
            cache_bytes: Most memory for decoded faces; the rest is decoded again each time.
            transfer_from: The other side's faces, for the recipe's colour transfer; unused if the
                recipe names none.
            uniform_yaw: Show all directions of heads equally often, instead of all faces.
            settings: Workers, prefetch, start_index, first_row, n_rows, place and on_problem; see
                `BatchStream`.

        Raises:
            OptionError: A face is narrower than the recipe's face type.
            ValueError: A number is impossible, or the recipe's colour transfer has no faces.
        """
        require_at_least(0, seed=seed)
        require_coverage(faceset, recipe.face_type)
        problems = Problems()
        samples = SampleMaker(
            FaceSource(faceset, recipe, cache_bytes, problems),
            _order(faceset, seed, uniform_yaw), recipe, seed,
            _color_source(transfer_from, recipe, seed, problems))
        super().__init__(samples.make, batch_size, problems=problems, **settings)


def preview_batch(faceset: Faceset, recipe: SampleRecipe, indices: Sequence[int]) -> Batch:
    """Gives chosen faces as the model sees them, without warp, transform, flip and new colours.

    Args:
        faceset: Where the faces come from.
        recipe: What the samples are; its options are ignored.
        indices: Into `faceset.faces`; any whole number, counted round. A face that cannot be read
            is replaced by the next one.

    Raises:
        OptionError: A face is narrower than the recipe's face type.
        NoFacesFound: No face of the faceset can be read any more.
    """
    require_coverage(faceset, recipe.face_type)
    faces = FaceSource(faceset, recipe, 0, Problems())
    n_faces = len(faceset.faces)
    batch: Batch = {}
    for row, index in enumerate(indices):
        _, face = faces.first((index + skip) % n_faces for skip in range(n_faces))
        # Steps get a fixed source of chance, so a preview shows the same every time.
        sample = make_sample(face, recipe, UNCHANGED, np.random.default_rng(0))
        put_sample(batch, sample, row, len(indices))
    return batch


def _order(faceset: Faceset, seed: int, uniform_yaw: bool) -> FaceOrder:
    """In which order the faces come."""
    if uniform_yaw:
        return Balanced(seed, yaw_bins(faceset.faces.column("yaw")))
    return Shuffled(seed, len(faceset.faces))


def _color_source(references: Faceset | None, recipe: SampleRecipe, seed: int,
                  problems: Problems) -> ColorSource | None:
    """What recolours the samples, if the recipe wants it."""
    if recipe.options.color_transfer == "none" or not recipe.shows_pictures:
        return None
    if references is None:
        raise ValueError(f"colour transfer {recipe.options.color_transfer} without transfer_from")
    return ColorSource(references, recipe, seed, problems)
