"""Faces as DeepFaceLab writes them, made with Python's own pickle."""

import pickle
import struct

import cv2
import numpy as np

LANDMARKS = np.random.default_rng(4).uniform(20, 230, (68, 2))


def dictionary(**changes):
    """What DeepFaceLab keeps of a face."""
    values = {
        "face_type": "whole_face", "landmarks": LANDMARKS.tolist(),
        "source_filename": "00042.png", "source_rect": np.array([10, 20, 210, 230]),
        "source_landmarks": (LANDMARKS * 2 + 7).tolist(),
        "image_to_face_mat": np.array([[0.5, 0.0, -3.5], [0.0, 0.5, -3.5]]), **changes}
    return {key: value for key, value in values.items() if value is not None}


def polygons():
    """A face and a hole in it."""
    return {"polys": [{"type": 0, "pts": np.float32([[90, 90], [120, 90], [100, 130.5]])},
                      {"type": 1, "pts": np.float32([[10, 10], [240, 12], [250, 250], [8, 200]])}]}


def mask_bytes(side=256):
    picture = np.zeros((side, side), np.uint8)
    cv2.circle(picture, (side // 2, side // 2), side // 3, 255, -1)
    return cv2.imencode(".png", picture)[1]


def picture(seed=0, side=256):
    """The bytes of a JPEG."""
    noise = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(noise, (side, side)))[1].tobytes()


def with_app15(jpeg, payload):
    """Puts a segment behind APP0."""
    length = struct.unpack(">H", jpeg[4:6])[0]
    at = 4 + length
    return jpeg[:at] + b"\xff\xef" + struct.pack(">H", len(payload) + 2) + payload + jpeg[at:]


def dfl_face(values=None, *, protocol=4, seed=0):
    """The bytes of a face of DeepFaceLab."""
    values = dictionary() if values is None else values
    return with_app15(picture(seed), pickle.dumps(values, protocol=protocol))


def pack(faces, path, *, absolute_end=True):
    """Writes a faceset.pak of {(person, name): bytes}."""
    index = pickle.dumps([{"filename": name, "person_name": person, "shape": (256, 256, 3)}
                          for person, name in faces], protocol=4)
    offsets = np.cumsum([0, *map(len, faces.values())])
    start = 16 + len(index) + 8 * len(offsets)
    if absolute_end:
        offsets[-1] += start
    path.write_bytes(struct.pack("<QQ", 1, len(index)) + index
                     + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(faces.values()))
    return path
