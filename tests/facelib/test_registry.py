"""Detectors and landmark extractors by name, and the README's own one."""

import re
from pathlib import Path

import numpy as np
import pytest

from core.errors import OptionError
from facelib.detect import find_faces
from facelib.landmarks import TEMPLATE_51
from facelib.registry import DETECTORS, ENHANCERS, LANDMARKERS, SEGMENTERS

README = Path(__file__).parents[2] / "facelib" / "README.md"


def test_bundled_networks_are_known_by_name():
    assert DETECTORS.names() == ("yunet", "s3fd", "retinaface", "mtcnn")
    assert LANDMARKERS.names() == ("facemesh", "2dfan", "3dfan")
    assert ENHANCERS.names() == ("faceenhancer",)
    assert SEGMENTERS.names() == ("xseg", "ternausnet")
    with pytest.raises(OptionError, match="known are yunet"):
        DETECTORS.load("other")


def test_plug_ins_of_the_readme_work(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    source = next(block for block in blocks if "class CentreDetector" in block)
    (tmp_path / "my_faces.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    detector = DETECTORS.load("my_faces:CentreDetector")()
    landmarker = LANDMARKERS.load("my_faces:MeanFaceLandmarks")()
    image = np.zeros((200, 300, 3), np.uint8)
    (face,) = find_faces([image], detector, landmarker)[0]
    np.testing.assert_allclose(face.box, (100, 50, 200, 150))
    np.testing.assert_allclose(face.landmarks[17:], 100 * TEMPLATE_51 + (100, 50), rtol=1e-5)
