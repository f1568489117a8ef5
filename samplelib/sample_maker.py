"""From a position in the stream of samples to the sample."""

import numpy as np

from samplelib.color_source import ColorSource
from samplelib.face_source import FaceSource
from samplelib.geometry import draw_geometry
from samplelib.hsv_shift import draw_hsv_shift
from samplelib.order import FaceOrder, Stream, sample_rng
from samplelib.processor import make_sample
from samplelib.recipe import SampleRecipe


class SampleMaker:
    """Makes the sample of any position; it depends on the seed and the position alone.

    Args:
        faces: Where the faces come from.
        order: Which of them is due.
        recipe: What the samples are.
        seed: Fixes all chance.
        colors: Recolours the faces; None leaves them.
    """

    def __init__(self, faces: FaceSource, order: FaceOrder, recipe: SampleRecipe, seed: int,
                 colors: ColorSource | None = None):
        self._faces = faces
        self._order = order
        self._recipe = recipe
        self._seed = seed
        self._colors = colors

    def make(self, position: int) -> dict[str, np.ndarray]:
        """Gives the arrays of one sample by the names of its outputs; see `make_sample`.

        Raises:
            NoFacesFound: No face, or none to take colours from, can be read any more.
        """
        index, face = self._faces.first(self._order.candidates(position))
        options = self._recipe.options
        rng = sample_rng(self._seed, position)
        geometry = draw_geometry(options, rng)
        if self._colors is not None:
            face = self._colors.recolored(index, face, position)
        hsv_shift = None
        if options.hsv_power > 0:
            hsv_shift = draw_hsv_shift(
                options.hsv_power, sample_rng(self._seed, position, Stream.HSV))
        return make_sample(face, self._recipe, geometry, rng, hsv_shift)
