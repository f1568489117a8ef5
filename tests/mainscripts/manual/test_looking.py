import numpy as np
import pytest

from core.imaging.io import read_image
from facelib.detect import FaceFinder
from facelib.types import Face
from mainscripts.extraction.find import finding_settings, open_finder
from mainscripts.extraction.options import ExtractOptions
from mainscripts.manual.looking import N_LOOKS, SquareLandmarks
from tests.mainscripts.manual.faces import mean_landmarks

IMAGE = np.zeros((270, 480, 3), np.uint8)
BOX = np.float32([160, 60, 240, 140])


class Nobody:
    """A detector that sees nothing."""

    def detect(self, images):
        return [[] for _ in images]


class Attracted:
    """An extractor that finds the mean face half way from the box to where it is: at 240, 100."""

    def __init__(self):
        self.boxes = []

    def extract(self, images, faces):
        ((face,),) = faces
        self.boxes.append(face.box)
        x, y = (face.box[:2] + face.box[2:]) / 2
        if x < 40:
            return [np.full((1, 68, 2), np.nan, np.float32)]
        return [mean_landmarks((x + 240) / 2, (y + 100) / 2, 40)[np.newaxis]]


@pytest.fixture
def extractor():
    return Attracted()


@pytest.fixture
def look(extractor):
    return SquareLandmarks(FaceFinder(Nobody(), extractor))


def test_one_look_gives_what_the_extractor_finds_in_the_square(look, extractor):
    np.testing.assert_allclose(look(IMAGE, BOX, False), mean_landmarks(220, 100, 40))
    np.testing.assert_array_equal(extractor.boxes, [BOX])


def test_an_accurate_look_goes_on_where_the_face_was_seen(look, extractor):
    landmarks = look(IMAGE, BOX, True)
    assert len(extractor.boxes) == N_LOOKS and landmarks.dtype == np.float32
    x = (landmarks[:, 0].min() + landmarks[:, 0].max()) / 2
    assert abs(x - 240) < abs(220 - 240) / 2
    first = mean_landmarks(220, 100, 40)
    left, top, right, bottom = extractor.boxes[1]
    assert (left, right, bottom) == pytest.approx((*np.sort(first[:, 0])[[0, -1]],
                                                   first[:, 1].max()))
    assert top < first[:, 1].min()  # with the forehead, as detectors do


def test_where_no_face_is_seen_there_is_none(look):
    assert look(IMAGE, np.float32([-10, 60, 70, 140]), True) is None
    assert look(IMAGE, np.float32([-10, 60, 70, 140]), False) is None


class Half:
    """A detector that sees one face in the middle of every picture."""

    def detect(self, images):
        return [[Face(np.float32([0.3, 0.3, 0.7, 0.7] * np.tile(image.shape[1::-1], 2)), 0.9)]
                for image in images]


@pytest.mark.parametrize("second_pass, n_looks", [(False, N_LOOKS), (True, N_LOOKS + 1)])
def test_the_second_pass_of_the_options_comes_on_top(extractor, second_pass, n_looks):
    look = SquareLandmarks(FaceFinder(Half(), extractor, second_pass=second_pass))
    look(IMAGE, BOX, True)
    assert len(extractor.boxes) == n_looks
    look(IMAGE, BOX, False)
    assert len(extractor.boxes) == n_looks + 1


def test_with_the_networks_the_place_of_the_square_hardly_matters(framed):
    """What the documentation of `N_LOOKS` says, in shares of the distance between the eyes."""
    image = read_image(framed.path("data_dst/00001.png"))
    finder = open_finder(finding_settings(ExtractOptions()))
    ((found,),) = finder.complete([image], finder.detect([image]))
    eyes = np.linalg.norm(found.landmarks[36:42].mean(0) - found.landmarks[42:48].mean(0))
    x1, y1, x2, y2 = found.box
    centre, half = np.array([x1 + x2, y1 + y2]) / 2, (y2 - y1) / 2
    errors = []
    for share_x, share_y, size in ((0.2, 0, 1), (0.12, -0.12, 1), (0, 0, 1.3), (0, 0.2, 0.8)):
        x, y = centre + np.array([share_x, share_y]) * (x2 - x1, y2 - y1)
        box = np.float32([x - half * size, y - half * size, x + half * size, y + half * size])
        errors.append([np.linalg.norm(look - found.landmarks, axis=1).mean() / eyes
                       for accurate in (False, True)
                       for look in [SquareLandmarks(finder)(image, box, accurate)]])
    once, again = np.max(errors, axis=0)
    assert once > 0.015 and again < 0.008
