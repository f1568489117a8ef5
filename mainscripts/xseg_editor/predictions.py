"""What a segmenter thinks of the faces, worked out by a thread of its own."""

import queue
import threading
from collections.abc import Callable, Sequence

import numpy as np

from core.errors import FaceLabError
from facelib.doubt import doubt
from facelib.protocols import FaceSegmenter
from facelib.segment_aligned import mask_of_aligned
from mainscripts.xseg_apply import crop_type, cropped
from mainscripts.xseg_editor.ahead import UNREADABLE
from mainscripts.xseg_editor.faces import FaceFolder
from samplelib.face_image import read_face
from samplelib.face_labels import MASK_SIDE

_AT_ONCE = 8
"""Faces in one batch of those nobody waits for."""


class Predictions:
    """Masks on demand, and how unsure they are for all faces in between.

    Attributes:
        doubts: Name -> `facelib.doubt.doubt` of its mask, as far as it is worked out.
        failure: Why no segmenter could be loaded; None if one could, or none was tried yet.
    """

    def __init__(self, faces: FaceFolder, load: Callable[[], FaceSegmenter],
                 on_mask: Callable[[str], None], on_doubts: Callable[[], None]):
        """
        Args:
            faces: Where they are.
            load: Gives the segmenter; called by the thread.
            on_mask: Called by the thread with the name of a face that was asked for, when its mask
                is there or cannot be made.
            on_doubts: Called by the thread when `doubts` has grown, or loading has failed.
        """
        self._faces = faces
        self._load = load
        self._on_mask = on_mask
        self._on_doubts = on_doubts
        self._urgent: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ranked: list[str] = []
        self._masks: dict[str, np.ndarray] = {}
        self._is_open = True
        self._thread: threading.Thread | None = None
        self.doubts: dict[str, float] = {}
        self.failure: str | None = None

    def start(self) -> None:
        """Starts the thread; the segmenter is loaded when it is first asked for something."""
        self._thread = threading.Thread(target=self._work, name="xseg-editor-masks", daemon=True)
        self._thread.start()

    def ask(self, name: str) -> None:
        """Has the mask of a face made before all others."""
        self._urgent.put(name)

    def rank(self, names: Sequence[str]) -> None:
        """Has the doubts of these faces worked out, in this order, as far as they are not."""
        self._ranked = list(names)
        self._urgent.put(None)

    def mask(self, name: str) -> np.ndarray | None:
        """(S, S, 1) float32 in [0, 1], if it was asked for and is there."""
        return self._masks.get(name)

    def least_sure(self, names: Sequence[str]) -> list[str]:
        """Those of some faces whose doubts are known, most unsure first."""
        known = [name for name in names if name in self.doubts]
        return sorted(known, key=lambda name: -self.doubts[name])

    def close(self) -> None:
        """Ends the thread after the batch it works on."""
        self._is_open = False
        self._urgent.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        name = self._urgent.get()
        if not self._is_open:
            return
        try:
            segmenter = self._load()
        except (FaceLabError, OSError) as error:
            self.failure = str(error)
            self._on_doubts()
            if name is not None:
                self._on_mask(name)
            return
        while self._is_open:
            if name is not None:
                self._answer(name, segmenter)
            self._look_around(segmenter)
            name = self._urgent.get()

    def _answer(self, name: str, segmenter: FaceSegmenter) -> None:
        """Makes the mask that somebody waits for; only that one is kept."""
        if name not in self._masks:
            self._masks = self._segment([name], segmenter)
        self._note(self._masks)
        self._on_mask(name)

    def _look_around(self, segmenter: FaceSegmenter) -> None:
        """Works out doubts until somebody waits for a mask."""
        while self._ranked and self._urgent.empty() and self._is_open:
            names, self._ranked = self._ranked[:_AT_ONCE], self._ranked[_AT_ONCE:]
            self._note(self._segment([name for name in names if name not in self.doubts],
                                     segmenter))

    def _note(self, masks: dict[str, np.ndarray]) -> None:
        if masks:
            self.doubts.update({name: doubt(mask) for name, mask in masks.items()})
            self._on_doubts()

    def _segment(self, names: Sequence[str], segmenter: FaceSegmenter) -> dict[str, np.ndarray]:
        """The masks of those that can be read, over their whole aligned pictures."""
        faces, shown = {}, crop_type(segmenter, "auto")
        for name in names:
            try:
                faces[name] = cropped(*read_face(self._faces.path(name)), shown)
            except UNREADABLE:
                continue  # whoever goes to the face is told why
        if not faces:
            return {}
        masks = segmenter.segment(np.stack([face.square for face in faces.values()]))
        return {name: mask_of_aligned(mask, face.aligned_to_square, face.width, MASK_SIDE)
                for (name, face), mask in zip(faces.items(), masks, strict=True)}
