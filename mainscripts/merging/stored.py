"""The masks that the aligned dst faces carry."""

from core import jpeg
from mainscripts.merging.dst_faces import DstFace
from merger.faces import StoredMask
from merger.masks import MASK_MODES
from merger.options import MergeOptions
from samplelib.face_image import info_of
from samplelib.face_labels import labelled_mask, stored_mask

STORED = "stored"


def uses_stored_masks(options: MergeOptions) -> bool:
    """Whether the mask mode looks at them."""
    return STORED in MASK_MODES[options.mask_mode].parts


def stored_mask_of(face: DstFace) -> StoredMask | None:
    """What was drawn on the aligned picture, or else made by a segmenter; None if neither was.

    Raises:
        CorruptFaceImage, ImageError: The file or its mask cannot be read.
    """
    if face.path is None or not face.mask_print:
        return None
    data = face.path.read_bytes()
    info = info_of(data, face.path)
    side = jpeg.picture_size(data)[1]
    mask = labelled_mask(info, side)
    if mask is None and info.xseg_mask is not None:
        mask = stored_mask(info, side)
    if mask is None or info.image_to_face_mat is None:
        return None
    return StoredMask(mask, info.image_to_face_mat)
