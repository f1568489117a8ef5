"""TernausNet as a model that is trained."""

from facelib.networks.ternausnet import TernausNet
from leras.precision import PRECISIONS
from models.segmenter_model import SegmenterModel
from models.ternausnet.options import TernausNetOptions


class TernausNetModel(SegmenterModel):
    """See `models.segmenter_model.SegmenterModel`."""

    options_type = TernausNetOptions
    part, title = "ternausnet", "TernausNet"

    def __init__(self, options: TernausNetOptions):
        super().__init__(options, TernausNet(options.base, PRECISIONS[options.precision].compute))
