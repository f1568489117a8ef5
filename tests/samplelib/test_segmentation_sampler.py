"""Which faces a segmenter learns from, and what it sees of them."""

import numpy as np
import pytest

from core.errors import NoFacesFound
from core.polygons import Polygon
from facelib.face_type import FaceType
from samplelib.face_labels import write_mask, write_polygons
from samplelib.face_source import Problems
from samplelib.faceset import load_faceset
from samplelib.labelled_faces import Labels, find_labelled
from samplelib.segmentation_sampler import (
    SegmentationSamples,
    Variety,
    WarpedFaces,
    in_front_of,
    plain_faces,
)

SQUARE = Polygon([(24, 24), (71, 24), (71, 71), (24, 71)])
PLAIN = Variety(backgrounds=0, occluders=0, filters=0)


@pytest.fixture
def faceset(make_faceset):
    """Five full faces of 96 pixels: one with a polygon, two with stored masks."""
    faceset = make_faceset(5)
    write_polygons(faceset.faces[1].path, [SQUARE])
    half = np.zeros((256, 256, 1), np.float32)
    half[:128] = 1
    for number in (2, 3):
        write_mask(faceset.faces[number].path, half, "by hand")
    return load_faceset(faceset.folder)


def find(faceset, labels=None, face_type=FaceType.FULL, warn=lambda line: None):
    return find_labelled([faceset], face_type, labels, warn)


def samples(faceset, labels=None, variety=PLAIN, seed=1):
    return SegmentationSamples(find(faceset, labels), 48, FaceType.FULL, seed, variety, Problems())


def test_drawn_masks_outrank_stored_ones_and_hulls_must_be_asked_for(faceset):
    assert [len(find(faceset, labels).faces) for labels in (None, *Labels)] == [1, 1, 2, 5]
    write_polygons(faceset.faces[1].path, [])
    assert find(faceset).labels is Labels.STORED
    for face in faceset.faces:
        write_mask(face.path, None, None)
    with pytest.raises(NoFacesFound, match="xseg editor"):
        find(faceset)
    assert len(find(faceset, Labels.HULL).faces) == 5


def test_a_folder_that_is_both_sides_counts_once(faceset):
    again = load_faceset(faceset.folder)
    assert len(find_labelled([faceset, again], FaceType.FULL, Labels.HULL, print).faces) == 5


def test_faces_that_are_too_narrow_are_left_out_and_told(faceset):
    told = []
    with pytest.raises(NoFacesFound, match="whole_face"):
        find(faceset, face_type=FaceType.WHOLE_FACE, warn=told.append)
    assert len(told) == 1 and "5 faces are too narrow" in told[0]


def test_a_damaged_face_is_told_and_the_others_stay(faceset):
    faceset.faces[0].path.write_bytes(b"\xff\xd8 no more")
    told = []
    assert len(find(faceset, Labels.HULL, warn=told.append).faces) == 4 and len(told) == 1


def test_samples_are_faces_with_masks_that_the_position_fixes(faceset):
    made = samples(faceset, Labels.HULL, Variety(0.5, 0.5))
    shuffled = [7, 3, 0, 11]
    first = {position: made.make(position) for position in shuffled}
    again = samples(faceset, Labels.HULL, Variety(0.5, 0.5))
    for position in sorted(shuffled):
        sample = again.make(position)
        assert sample["image"].shape == (48, 48, 3) and sample["mask"].shape == (48, 48, 1)
        assert {array.dtype.name for array in sample.values()} == {"uint8"}
        assert np.isin(sample["mask"], (0, 255)).mean() > 0.8
        for name, array in sample.items():
            np.testing.assert_array_equal(array, first[position][name])
    other = samples(faceset, Labels.HULL, Variety(0.5, 0.5), seed=2).make(0)
    assert not np.array_equal(other["image"], first[0]["image"])


def test_a_mask_tells_the_share_of_each_pixel_that_the_face_has(faceset):
    """Stripes of one pixel each, of which every pixel of half the size shows a half."""
    stripes = [Polygon([(x, 8), (x, 88), (x + 0.01, 88), (x + 0.01, 8)]) for x in range(8, 88, 2)]
    write_polygons(faceset.faces[1].path, stripes)
    made = samples(faceset, Labels.DRAWN)
    shares = [made.make(position)["mask"] / 255 for position in range(30)]
    assert np.mean(shares) == pytest.approx(40 * 81 / 96**2, rel=0.06)
    assert all(0.2 < np.mean((share > 0.1) & (share < 0.9)) for share in shares)


def test_the_mask_moves_with_the_face(faceset):
    """A polygon whose area is known: rotation, zoom and warp change it by little, and its place."""
    made = samples(faceset, Labels.DRAWN)
    areas = [(made.make(position)["mask"] > 127).mean() for position in range(40)]
    assert np.mean(areas) == pytest.approx(0.25, abs=0.02) and 0.01 < np.std(areas) < 0.05
    masks = np.stack([made.make(position)["mask"] for position in range(40)])
    assert 0.15 < (masks.std(0) > 0).mean() < 0.6


def test_occluders_take_from_the_mask_and_backgrounds_do_not(faceset):
    def area(variety):
        made = samples(faceset, Labels.DRAWN, variety)
        return np.mean([(made.make(position)["mask"] > 127).mean() for position in range(30)])

    plain = area(PLAIN)
    assert area(Variety(1.0, 0, 0)) == pytest.approx(plain, abs=1e-9)
    assert area(Variety(0, 1.0, 0)) < 0.95 * plain


def test_the_filters_touch_their_share_of_the_samples_and_no_mask(faceset):
    plain, made = samples(faceset), samples(faceset, variety=Variety(0, 0, 0.25))
    pairs = [(made.make(position), plain.make(position)) for position in range(120)]
    touched = [not np.array_equal(one["image"], other["image"]) for one, other in pairs]
    assert 0.13 < np.mean(touched) < 0.37, "three deviations of a share of a quarter"
    assert all(np.array_equal(one["mask"], other["mask"]) for one, other in pairs)


def test_another_picture_shines_through_where_neither_face_is():
    """With black for the other picture, whatever its colours become: levels above none."""
    rng = np.random.default_rng(8)
    image, other = rng.random((2, 16, 16, 3)).astype(np.float32)
    mask, other_mask = np.zeros((2, 16, 16, 1), np.float32)
    mask[:8], other_mask[:, :8] = 1, 1
    made = in_front_of(image, mask, other, other_mask, np.random.default_rng(5))
    np.testing.assert_allclose(made[:8], image[:8], atol=1e-6)
    np.testing.assert_allclose(made[:, :8], image[:, :8], atol=1e-6)
    assert np.abs(made[8:, 8:] - image[8:, 8:]).mean() > 0.05


def test_pretraining_shows_a_face_and_its_greys(faceset):
    sample = WarpedFaces(faceset, 48, FaceType.FULL, 1, Problems()).make(4)
    blue, green, red = np.moveaxis(sample["image"].astype(float), -1, 0)
    np.testing.assert_allclose(sample["mask"][..., 0], 0.299 * red + 0.587 * green + 0.114 * blue,
                               atol=0.51)


def test_plain_faces_show_the_best_mask_that_is_known(faceset):
    batch = plain_faces(faceset, 96, FaceType.FULL, range(5))
    drawn, stored, hull = (batch["mask"][row, ..., 0] > 127 for row in (1, 2, 0))
    assert drawn[24:72, 24:72].all() and drawn.sum() == 48**2
    assert stored[:46].all() and not stored[50:].any()
    assert 0.1 < hull.mean() < 0.6 and not np.array_equal(hull, drawn)
