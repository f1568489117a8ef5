"""Pictures decoded before they are asked for, by a thread of their own."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from core.errors import FaceLabError
from core.imaging.io import decode_jpeg_small
from mainscripts.xseg_editor.faces import FaceFolder
from samplelib.face_image import info_of, read_face
from samplelib.face_info import FaceInfo
from samplelib.face_labels import labelled_mask

T = TypeVar("T")

UNREADABLE = (FaceLabError, OSError, ValueError)
THUMBNAIL_SIDE = 80
"""Pixels of the shorter side of a thumbnail at least; it is scaled when it is drawn."""


class FacePicture(NamedTuple):
    """A face: (S, S, 3) uint8 BGR, and what its file said when it was read."""

    image: np.ndarray
    info: FaceInfo


class Thumbnail(NamedTuple):
    """A small (s, s, 3) uint8 BGR picture, with what the polygons leave out of it darkened."""

    image: np.ndarray


class Ahead(Generic[T]):
    """Values by name that a thread makes before they are needed, and as many as fit are kept.

    Args:
        make: Makes a value; whatever it raises of UNREADABLE leaves the name without one.
        n_kept: How many values; those not asked for longest go first.
        on_ready: Called by the thread with the name of a value that somebody wanted.
    """

    def __init__(self, make: Callable[[str], T], n_kept: int,
                 on_ready: Callable[[str], None] = lambda name: None):
        self._make = make
        self._n_kept = n_kept
        self._on_ready = on_ready
        self._values: OrderedDict[str, T] = OrderedDict()
        self._wanted: list[str] = []
        self._changed = threading.Condition()
        self._is_open = True
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._work, name="xseg-editor-ahead", daemon=True)
        self._thread.start()

    def want(self, names: Iterable[str]) -> None:
        """Has values made, in this order; what was wanted before and is not now is left out."""
        with self._changed:
            self._wanted = [name for name in names if name not in self._values]
            self._changed.notify()

    def find(self, name: str) -> T | None:
        """A value that is there; None if it is not yet."""
        with self._changed:
            if name in self._values:
                self._values.move_to_end(name)
            return self._values.get(name)

    def get(self, name: str) -> T:
        """A value, made now if it is not there; raises what `make` raises."""
        value = self.find(name)
        return self._keep(name, self._make(name)) if value is None else value

    def forget(self, name: str) -> None:
        """Drops a value that is not true any more."""
        with self._changed:
            self._values.pop(name, None)

    def close(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._is_open = False
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _keep(self, name: str, value: T) -> T:
        with self._changed:
            self._values[name] = value
            while len(self._values) > self._n_kept:
                self._values.popitem(last=False)
        return value

    def _work(self) -> None:
        while (name := self._next()) is not None:
            try:
                self._keep(name, self._make(name))
            except UNREADABLE:
                continue  # whoever goes to the face is told why
            self._on_ready(name)

    def _next(self) -> str | None:
        """The next name that is wanted; None when the thread shall end."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or not self._is_open)
            return self._wanted.pop(0) if self._is_open else None


def read_picture_of(faces: FaceFolder) -> Callable[[str], FacePicture]:
    """A function that reads a face by its name."""
    return lambda name: FacePicture(*read_face(faces.path(name)))


def read_thumbnail_of(faces: FaceFolder) -> Callable[[str], Thumbnail]:
    """A function that makes the thumbnail of a face by its name."""
    return lambda name: _thumbnail(faces, name)


def _thumbnail(faces: FaceFolder, name: str) -> Thumbnail:
    data = faces.path(name).read_bytes()
    small, scale = decode_jpeg_small(data, name, THUMBNAIL_SIDE)
    info = info_of(data, name)
    mask = labelled_mask(info, round(small.shape[0] / scale))
    if mask is None:
        return Thumbnail(small)
    step = mask.shape[0] / small.shape[0]
    places = np.minimum(((np.arange(small.shape[0]) + 0.5) * step).astype(int), mask.shape[0] - 1)
    inside = mask[places][:, places]
    return Thumbnail((small * (0.35 + 0.65 * inside)).astype(np.uint8))
