"""What a recipe accepts."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import OptionError
from core.options import specs
from facelib.face_type import FaceType
from samplelib.face_image import write_info
from samplelib.faceset import load_faceset
from samplelib.recipe import SampleOptions, SampleRecipe, require_coverage, stretch_to_one


def test_options_are_declared_with_domains():
    domains = {spec.name: (spec.default, spec.low, spec.high) for spec in specs(SampleOptions)}
    assert domains["rotation"] == (10.0, 0, 180)
    assert domains["random_flip"][0] is False


@pytest.mark.parametrize("shown, wanted", [
    (FaceType.FULL, FaceType.FULL), (FaceType.WHOLE_FACE, FaceType.FULL),
    (FaceType.HEAD, FaceType.WHOLE_FACE), (FaceType.MARK_ONLY, FaceType.HEAD),
    (FaceType.FULL, FaceType.FULL_NO_ALIGN)])
def test_faces_at_least_as_wide_are_accepted(make_faceset, shown, wanted):
    if shown == FaceType.MARK_ONLY:
        face = make_faceset(1).faces[0]
        write_info(face.path, replace(face.info, face_type=shown))
        faceset = load_faceset(face.path.parent)
    else:
        faceset = make_faceset(1, shown)
    require_coverage(faceset, wanted)


@pytest.mark.parametrize("wanted", [FaceType.WHOLE_FACE, FaceType.HEAD, FaceType.MARK_ONLY])
def test_samples_wider_than_the_faces_are_refused(make_faceset, wanted):
    with pytest.raises(OptionError, match=wanted.label):
        require_coverage(make_faceset(1, FaceType.FULL), wanted)


def test_unknown_outputs_are_named():
    with pytest.raises(ValueError, match="'hair'.*warped"):
        SampleRecipe(64, FaceType.FULL, ("warped", "hair"))


def test_masks_are_stretched_to_one_unless_empty():
    rng = np.random.default_rng(0)
    mask = np.uint8([[[50], [200]]])
    stretched = stretch_to_one(mask, rng)
    assert stretched.tolist() == [[[64], [255]]] and stretched.dtype == np.uint8
    assert stretch_to_one(mask * 0, rng).max() == 0
    assert mask.max() == 200
