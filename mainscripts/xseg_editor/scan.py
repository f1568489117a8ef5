"""Which faces have polygons and masks, and how they are turned; read by a thread of its own."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mainscripts.xseg_editor.ahead import UNREADABLE
from mainscripts.xseg_editor.faces import FaceFolder
from samplelib.face_info import FaceInfo


class FaceState(NamedTuple):
    """What the lists of the window show of a face.

    Attributes:
        n_polygons: That it has.
        has_mask: Whether a segmenter's mask is stored.
        pitch: Radians; NaN where the file does not say.
    """

    n_polygons: int = 0
    has_mask: bool = False
    pitch: float = float("nan")


UNKNOWN = FaceState()


def state_of(info: FaceInfo) -> FaceState:
    """What the lists show of a face."""
    pitch = float("nan") if info.pose is None else info.pose[0]
    return FaceState(len(info.polygons), info.xseg_mask is not None, pitch)


class Scan:
    """The states of all faces, as far as they have been read.

    Looking at a face and editing it set its state at once, whether or not the thread was there.
    """

    def __init__(self, faces: FaceFolder):
        self._faces = faces
        self._states: dict[str, FaceState] = {}
        self._yaws = dict(zip(faces.names, faces.yaws.tolist(), strict=True))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._work, name="xseg-editor-scan", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def wait(self) -> None:
        """Waits until all faces are read."""
        if self._thread is not None:
            self._thread.join()

    @property
    def is_complete(self) -> bool:
        """Whether all faces are read."""
        return self._thread is not None and not self._thread.is_alive()

    def state(self, name: str) -> FaceState:
        """Of one face; UNKNOWN until it is read."""
        return self._states.get(name, UNKNOWN)

    def is_known(self, name: str) -> bool:
        """Whether a face has been read."""
        return name in self._states

    def note(self, name: str, info: FaceInfo) -> None:
        """Sets the state of a face that was read or changed."""
        with self._lock:
            self._states[name] = state_of(info)

    def n_labelled(self, names: Sequence[str]) -> int:
        """How many of these faces have polygons."""
        return sum(self.state(name).n_polygons > 0 for name in names)

    def poses(self, names: Sequence[str]) -> np.ndarray:
        """(n, 2) float64 yaw and pitch of these faces, radians; NaN where they are not known."""
        return np.array([(self._yaws[name], self.state(name).pitch) for name in names],
                        np.float64)

    def _work(self) -> None:
        for name in self._faces.names:
            if self._stop.is_set():
                return
            if name in self._states:
                continue
            try:
                state = state_of(self._faces.read(name))
            except UNREADABLE:
                continue
            with self._lock:
                self._states.setdefault(name, state)
