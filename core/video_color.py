"""Colours and orientation of video frames: stored YUV or RGB to upright BGR and back."""

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

# swscale's default rounds down and interpolates colour in pairs of pixels: up to 4 levels off.
EXACT = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

BT709_MATRIX = 1  # ITU-T H.273 number, as FFmpeg stores it
UNSPECIFIED_MATRICES = (2, 3)
HD_WIDTH, HD_HEIGHT = 1280, 577  # players take untagged video for BT.709 from here on

UPRIGHT = np.array([[1, 0], [0, 1]])
CLOCKWISE = {  # angle -> display matrix, its rows the images of the stored x and y axes
    0: UPRIGHT,
    90: np.array([[0, 1], [-1, 0]]),
    180: np.array([[-1, 0], [0, -1]]),
    270: np.array([[0, -1], [1, 0]]),
}


def to_upright_bgr(frame: av.VideoFrame, tagged_rotation: int = 0) -> np.ndarray:
    """Converts a decoded frame with the matrix and range it is tagged with, and turns it upright.

    Untagged YUV counts as limited range, and as BT.709 from HD size on, BT.601 below.

    Args:
        frame: As decoded.
        tagged_rotation: Degrees clockwise from the stream's `rotate` tag; a display matrix on
            the frame has precedence.

    Returns:
        (H, W, 3) uint8, BGR, C-contiguous.
    """
    if frame.format.name == "gbrp":
        planar = frame
    elif frame.format.is_rgb:
        planar = frame.reformat(format="gbrp", interpolation=EXACT, threads=1)
    else:
        # Planar output is twice as fast in swscale as packed BGR, with equal values.
        planar = frame.reformat(
            format="gbrp",
            src_colorspace=color_matrix(frame),
            src_color_range=_color_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=EXACT,
            threads=1,
        )
    green, blue, red = (_plane_array(plane) for plane in planar.planes)
    image = cv2.merge([blue, green, red])
    return turn_upright(image, orientation(frame, tagged_rotation))


def to_yuv(image: np.ndarray, pixel_format: str) -> av.VideoFrame:
    """Converts a picture to BT.709 limited range YUV.

    Args:
        image: (H, W, 3) uint8, BGR.
        pixel_format: An 8-bit YUV format such as "yuv420p".

    Returns:
        A frame tagged with what it holds.
    """
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    converted = frame.reformat(
        format=pixel_format,
        src_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=EXACT,
        threads=1,
    )
    converted.color_primaries = ColorPrimaries.BT709
    converted.color_trc = ColorTrc.BT709
    return converted


def color_matrix(frame: av.VideoFrame) -> int:
    """H.273 matrix number of a YUV frame, guessed from its size if the file names none."""
    if frame.colorspace not in UNSPECIFIED_MATRICES:
        return frame.colorspace
    is_hd = frame.width >= HD_WIDTH or frame.height >= HD_HEIGHT
    return BT709_MATRIX if is_hd else int(Colorspace.ITU601)


def orientation(frame: av.VideoFrame, tagged_rotation: int = 0) -> np.ndarray:
    """(2, 2) int display matrix of -1, 0, 1: rows are the images of the stored x and y axes."""
    side_data = frame.side_data.get(SideData.DISPLAYMATRIX)
    if side_data is not None:
        values = np.frombuffer(side_data, np.int32)[:9].reshape(3, 3)[:2, :2].astype(np.int64)
        axes = np.sign(np.where(np.abs(values) >= np.abs(values).max(), values, 0))
        # Angles that are no multiple of 90 degrees are not applied.
        return axes if abs(round(np.linalg.det(axes))) == 1 else UPRIGHT
    return CLOCKWISE.get(tagged_rotation % 360, UPRIGHT)


def rotation_degrees(axes: np.ndarray) -> int:
    """Degrees clockwise by which a display matrix turns the stored x axis: 0, 90, 180, 270."""
    return int(np.degrees(np.arctan2(axes[0, 1], axes[0, 0]))) % 360


def turn_upright(image: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Turns and mirrors a stored picture by a display matrix (see `orientation`)."""
    if axes[0, 0] == 0:
        image = image.swapaxes(0, 1)
        flip_x, flip_y = axes[1, 0] < 0, axes[0, 1] < 0
    else:
        flip_x, flip_y = axes[0, 0] < 0, axes[1, 1] < 0
    return np.ascontiguousarray(image[:: -1 if flip_y else 1, :: -1 if flip_x else 1])


def _plane_array(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """(H, W) uint8 view of an 8-bit plane, whose lines may be padded."""
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def _color_range(frame: av.VideoFrame) -> int:
    if frame.color_range != ColorRange.UNSPECIFIED:
        return frame.color_range
    is_full = frame.format.name.startswith(("yuvj", "gray"))
    return ColorRange.JPEG if is_full else ColorRange.MPEG
