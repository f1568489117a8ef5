"""Faces and frames made up for the tests of hand work."""

import numpy as np

from core.frames import Frame
from facelib.landmarks import MODEL_3D
from facelib.types import FoundFace
from mainscripts.manual.document import Document, FrameState


def mean_landmarks(x, y, half):
    """(68, 2) float32: a frontal face that touches three sides of a square, all but the upper."""
    outline = MODEL_3D[:, :2].astype(float)
    left, right, bottom = outline[:, 0].min(), outline[:, 0].max(), outline[:, 1].max()
    return ((outline - ((left + right) / 2, bottom)) * (2 * half / (right - left))
            + (x, y + half)).astype(np.float32)


def landmarks_in(box):
    """The same for a box of any height. In the box of a face it finds that face again."""
    left, _, right, bottom = np.asarray(box, float)
    half = (right - left) / 2
    return mean_landmarks(left + half, bottom - half, half)


def face_at(x, y, half=40.0):
    box = np.float32([x - half, y - half, x + half, y + half])
    return FoundFace(box, 0.9, mean_landmarks(x, y, half))


def frames_of(n):
    return tuple(Frame(index, f"{index + 1:05d}.png") for index in range(n))


def centre_of(face):
    """x, y that `face_at` was given."""
    return place_of(face.landmarks)


def place_of(landmarks):
    """x, y of `mean_landmarks`."""
    left, right = landmarks[:, 0].min(), landmarks[:, 0].max()
    bottom = landmarks[:, 1].max()
    return round(float(left + right) / 2, 2), round(float(bottom - (right - left) / 2), 2)


def look(image, box, accurate):
    """A `hand.Look` that sees a face in every square but in the left eighth of the picture."""
    return None if box[0] + box[2] < image.shape[1] / 4 else landmarks_in(box)


class Notebook:
    """What a document noted, and what it finds at first."""

    def __init__(self, known=None):
        self.known, self.notes = known or {}, []

    def load(self, number):
        return FrameState(tuple(self.known.get(number, ())))

    def note(self, number, state):
        self.notes.append((number, state))


def document_of(n_frames, known=None):
    """(document, its notebook)."""
    notebook = Notebook(known)
    return Document(frames_of(n_frames), notebook.load, notebook.note), notebook
