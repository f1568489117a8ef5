"""TernausNet as a segmenter, with weights that the user trained."""

from typing import Any

import numpy as np

from core.errors import WeightsMissing
from facelib.face_type import FaceType
from facelib.networks.batch_segmenter import BatchSegmenter
from facelib.networks.ternausnet import TernausNet
from facelib.user_weights import read_weights, user_path

NAME = "ternausnet"


class TernausNetSegmenter:
    """How segmenters are made of TernausNet's weights."""

    @staticmethod
    def load(**options: Any) -> BatchSegmenter:
        """The TernausNet that the user trained and installed.

        Args:
            options: Of `BatchSegmenter`.

        Raises:
            WeightsMissing: There is none, or it is damaged.
        """
        path = user_path(NAME)
        if not path.exists():
            raise WeightsMissing("no TernausNet is installed; train one with `train --model "
                                 "TernausNet`, then run `xseg install`")
        weights = read_weights(path, str(path))
        about = weights.about
        try:
            return segmenter_of(
                weights.state, base=int(about["base"]), resolution=int(about["resolution"]),
                face_type=about["face_type"], origin=about["origin"], **options)
        except (KeyError, ValueError) as error:
            raise WeightsMissing(f"{path}: these are not the weights of TernausNet ({error}); run "
                                 "`xseg install` again") from error


def segmenter_of(state: dict[str, np.ndarray], *, base: int, resolution: int, face_type: str,
                 origin: str, **options: Any) -> BatchSegmenter:
    """A segmenter with these weights; as `xseg_segmenter.segmenter_of`.

    Raises:
        KeyError, ValueError: The weights are of another network.
    """
    network = TernausNet(base)
    network.load_state(state)
    return BatchSegmenter(network, resolution, FaceType.parse(face_type), origin, **options)
