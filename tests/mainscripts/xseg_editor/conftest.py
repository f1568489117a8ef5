"""A small faceset of drawn faces, and documents on it."""

import cv2
import numpy as np
import pytest

from benchmarks.sampler import mean_landmarks
from facelib.face_type import FaceType
from mainscripts.xseg_editor.ahead import Ahead, read_picture_of
from mainscripts.xseg_editor.document import Document
from mainscripts.xseg_editor.faces import FaceFolder
from mainscripts.xseg_editor.history import FILE_NAME, History
from mainscripts.xseg_editor.scan import Scan
from mainscripts.xseg_editor.session import Session
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo

SIDE = 128


class DiskSegmenter:
    """Takes what is bright for the face, and is the less sure the larger that is; the faces have a
    bright disk each, of known size."""

    def segment(self, faces):
        disks = (faces.mean(axis=3) > 0.7).astype(np.float32)
        return np.stack([cv2.GaussianBlur(disk, (0, 0), 1 + 60 * float(disk.mean()) ** 2)
                         for disk in disks])[..., np.newaxis]


@pytest.fixture(name="folder")
def folder_fixture(tmp_path):
    """12 faces of one track, 0.jpg to 11.jpg, with disks of radius 20 to 42."""
    folder = tmp_path / "aligned"
    folder.mkdir()
    landmarks = np.asarray(mean_landmarks(SIDE, FaceType.FULL), np.float64)
    for number in range(12):
        image = np.full((SIDE, SIDE, 3), 40, np.uint8)
        cv2.circle(image, (64, 64), 20 + 2 * number, (230, 230, 230), -1)
        info = FaceInfo(FaceType.FULL, landmarks + (number, 0), track=0, frame_index=number,
                        pose=(0.1, 0.1 * number - 0.5, 0.0))
        write_face(folder / f"{number}.jpg", image, info)
    return folder


@pytest.fixture(name="open_document")
def open_document_fixture(folder):
    """Function: the document as an editor that starts now has it, looking at a face."""
    def make(name="0.jpg"):
        document = Document(FaceFolder.load(folder), History.load(folder / FILE_NAME))
        document.go(name)
        return document
    return make


@pytest.fixture(name="document")
def document_fixture(open_document):
    return open_document()


@pytest.fixture(name="session")
def session_fixture(document):
    scan = Scan(document.faces)
    scan.start()
    scan.wait()
    return Session(document, scan, Ahead(read_picture_of(document.faces), 8))


@pytest.fixture(name="disk_segmenter")
def disk_segmenter_fixture():
    return DiskSegmenter
