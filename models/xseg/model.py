"""XSeg as a model that is trained."""

from facelib.networks.xseg import XSeg
from leras.precision import PRECISIONS
from models.segmenter_model import SegmenterModel
from models.xseg.options import XSegOptions


class XSegModel(SegmenterModel):
    """See `models.segmenter_model.SegmenterModel`."""

    options_type = XSegOptions
    part, title = "xseg", "XSeg"

    def __init__(self, options: XSegOptions):
        super().__init__(options, XSeg(options.base, options.resolution, options.dense,
                                       PRECISIONS[options.precision].compute))
