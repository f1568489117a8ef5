"""Recolours the faces of one faceset with those of another."""

from dataclasses import replace
from typing import Any

from samplelib.bounded_cache import BoundedCache
from samplelib.color_transfer import COLOR_TRANSFERS
from samplelib.face_source import FaceSource, Problems
from samplelib.faceset import Faceset
from samplelib.order import Shuffled, Stream, sample_rng
from samplelib.prepared_face import PreparedFace
from samplelib.recipe import SampleRecipe, require_coverage

DESCRIPTION_BYTES = 16 * 2**20
"""Most memory for what is known of each side's colours: enough for 65,000 faces' moments."""


class ColorSource:
    """Gives each sample's face the colours of a random face, drawn by seed and position.

    Args:
        references: The other faceset; its faces come in an order of their own, each once an epoch.
        recipe: Of the samples; names the transfer.
        seed: Of the samples.
        problems: Where unreadable references are noted.

    Raises:
        OptionError: A reference is narrower than the recipe's face type.
    """

    def __init__(self, references: Faceset, recipe: SampleRecipe, seed: int, problems: Problems):
        require_coverage(references, recipe.face_type)
        self._transfer = COLOR_TRANSFERS[recipe.options.color_transfer]
        self._resolution = recipe.resolution
        self._seed = seed
        # What is known of a reference is kept, so its picture need not be.
        self._faces = FaceSource(references, replace(recipe, outputs=("target",)), 0, problems)
        self._order = Shuffled(seed, len(references.faces), Stream.REFERENCES)
        self._own, self._references = (
            BoundedCache[Any](DESCRIPTION_BYTES, lambda _: self._transfer.description_bytes)
            for _ in range(2))

    def recolored(self, index: int, face: PreparedFace, position: int) -> PreparedFace:
        """Gives a face in new colours.

        Args:
            index: Number of the face in its own faceset.
            face: The face.
            position: Of the sample.

        Raises:
            NoFacesFound: No reference can be read any more.
        """
        own = self._own.find(index)
        if own is None:
            own = self._own.keep(index, self._transfer.describe(face, self._resolution))
        image = self._transfer.recolor(
            face, own, self._reference(position),
            sample_rng(self._seed, position, Stream.TRANSFER))
        return replace(face, planes={**face.planes, "image": image})

    def _reference(self, position: int) -> Any:
        """What is known of the first readable reference of a position."""
        for index in self._order.candidates(position):
            known = self._references.find(index)
            if known is not None:
                return known
            face = self._faces.get(index)
            if face is not None:
                return self._references.keep(
                    index, self._transfer.describe(face, self._resolution))
        raise self._faces.nothing_left()
