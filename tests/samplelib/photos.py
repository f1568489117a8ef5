"""Photographs of drawn faces whose landmarks are known."""

import cv2
import numpy as np

from benchmarks.sampler import mean_landmarks
from core.imaging.io import write_image
from facelib.face_type import FaceType
from samplelib.photographs import load_photographs, write_labels

EYE, BACK = (0, 0, 255), (90, 90, 90)


def face_landmarks(side, x=0.0, y=0.0):
    """(68, 2): a mean face whose full-face crop has a side, put at a place."""
    return mean_landmarks(side, FaceType.FULL) + (x, y)


def draw(landmarks_of_faces, height=120, width=160):
    """Grey, each face a filled ellipse with a red dot on the person's right eye."""
    image = np.full((height, width, 3), BACK, np.uint8)
    for landmarks in landmarks_of_faces:
        hull = cv2.convexHull(np.float32(landmarks)).astype(np.int32)
        cv2.fillConvexPoly(image, hull, (150, 180, 220))
        eye = landmarks[36:42].mean(axis=0)
        cv2.circle(image, np.rint(eye).astype(int).tolist(), 3, EYE, -1)
    return image


def make_photos(folder, n_faces=3, n_plain=2):
    """Writes photographs with a face each, and some without; loads them."""
    folder.mkdir(exist_ok=True)
    for number in range(n_faces):
        landmarks = face_landmarks(80, 10 + 15 * number, 20)[np.newaxis]
        path = folder / f"face_{number}.png"
        write_image(path, draw(landmarks))
        write_labels(path, landmarks, "drawn")
    for number in range(n_plain):
        path = folder / f"plain_{number}.png"
        noise = np.random.default_rng(number).integers(0, 80, (90, 90, 3)).astype(np.uint8)
        write_image(path, noise)
        write_labels(path, np.empty((0, 68, 2)), "drawn")
    return load_photographs(folder)
