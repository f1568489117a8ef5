"""Faces for samples, past those that cannot be read."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from core.errors import FaceLabError, NoFacesFound
from samplelib.bounded_cache import BoundedCache
from samplelib.faceset import Faceset
from samplelib.prepared_face import PreparedFace, prepare_face
from samplelib.recipe import SampleRecipe

UNREADABLE = (FaceLabError, OSError, ValueError)
"""What a face that was deleted, truncated or overwritten since loading can raise."""


class Problem(NamedTuple):
    """A face that cannot be used."""

    path: Path
    reason: str


class Problems:
    """Faces found unreadable, each once, in the order they were met; for several threads."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._paths: set[Path] = set()
        self._lock = threading.Lock()

    def note(self, problem: Problem) -> None:
        """Adds a face unless it is there; two threads may meet it at the same moment."""
        with self._lock:
            if problem.path not in self._paths:
                self._paths.add(problem.path)
                self._found.append(problem)

    def since(self, n: int) -> list[Problem]:
        """Those behind the first `n`."""
        with self._lock:
            return self._found[n:]


class FaceSource:
    """Prepared faces of a faceset by their numbers.

    Args:
        faceset: Where they come from.
        recipe: What they are prepared for.
        n_bytes: Most memory for prepared faces; the others are decoded again each time.
        problems: Where unreadable faces are noted.
    """

    def __init__(self, faceset: Faceset, recipe: SampleRecipe, n_bytes: int, problems: Problems):
        self._faceset = faceset
        self._recipe = recipe
        self._cache: BoundedCache[PreparedFace] = BoundedCache(n_bytes, lambda face: face.n_bytes)
        self._problems = problems
        self._unreadable: dict[int, str] = {}

    def get(self, index: int) -> PreparedFace | None:
        """Gives a face; None if it cannot be read, now or at an earlier time."""
        if index in self._unreadable:
            return None
        known = self._cache.find(index)
        if known is not None:
            return known
        face = self._faceset.faces[index]
        try:
            return self._cache.keep(index, prepare_face(face, self._recipe))
        except UNREADABLE as error:
            self._unreadable[index] = str(error)
            self._problems.note(Problem(face.path, str(error)))
            return None

    def first(self, indices: Iterable[int]) -> tuple[int, PreparedFace]:
        """Gives the number and the face of the first of some that can be read.

        Raises:
            NoFacesFound: None of them can be read.
        """
        for index in indices:
            face = self.get(index)
            if face is not None:
                return index, face
        raise self.nothing_left()

    def nothing_left(self) -> NoFacesFound:
        """The error that no face is left."""
        reason = next(iter(self._unreadable.values()))
        return NoFacesFound(
            f"{self._faceset.folder}: none of its {len(self._faceset.faces)} faces can be read any "
            f"more ({reason.split(';')[0]}); restore the folder or extract the faces again")
