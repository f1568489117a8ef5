"""Colours and orientation of video frames: stored YUV or RGB to upright BGR and back."""

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

# swscale's default rounds down and interpolates colour in pairs of pixels: up to 4 levels off.
EXACT = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

# swscale counts the white of 16 bits as 255 * 256 when it converts YUV; here it is 65535.
DEEP_GAIN = 257 / 256

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


def is_deep(frame: av.VideoFrame) -> bool:
    """Whether a frame holds more than 8 bits a colour."""
    return any(component.bits > 8 for component in frame.format.components)


def to_upright_bgr(frame: av.VideoFrame, tagged_rotation: int = 0, *,
                   deep: bool = False) -> np.ndarray:
    """Converts a decoded frame with the matrix and range it is tagged with, and turns it upright.

    Untagged YUV counts as limited range, and as BT.709 from HD size on, BT.601 below.

    Args:
        frame: As decoded.
        tagged_rotation: Degrees clockwise from the stream's `rotate` tag; a display matrix on
            the frame has precedence.
        deep: Keeps more than 8 bits a colour where the frame has them.

    Returns:
        (H, W, 3) BGR, C-contiguous: uint8, or of deep frames, if wanted, uint16 in [0, 65535].
    """
    target = "gbrp16le" if deep and is_deep(frame) else "gbrp"
    if frame.format.name == target:
        planar = frame
    elif frame.format.is_rgb:
        planar = frame.reformat(format=target, interpolation=EXACT, threads=1)
    else:
        # Planar output is twice as fast in swscale as packed BGR, with equal values.
        planar = frame.reformat(
            format=target,
            src_colorspace=color_matrix(frame),
            src_color_range=_color_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=EXACT,
            threads=1,
        )
    kind = np.dtype("<u2" if target == "gbrp16le" else np.uint8)
    green, blue, red = (_plane_array(plane, kind) for plane in planar.planes)
    image = cv2.merge([blue, green, red])
    if target == "gbrp16le" and not frame.format.is_rgb:
        image = _scaled(image, DEEP_GAIN)
    return turn_upright(image, orientation(frame, tagged_rotation))


def to_yuv(image: np.ndarray, pixel_format: str) -> av.VideoFrame:
    """Converts a picture to BT.709 limited range YUV.

    Args:
        image: (H, W, 3) BGR, uint8 or uint16.
        pixel_format: A YUV format such as "yuv420p" or "yuv420p10le".

    Returns:
        A frame tagged with what it holds.
    """
    deep = image.dtype != np.uint8
    frame = to_rgb_frame(_scaled(image, 1 / DEEP_GAIN) if deep else image)
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


def to_rgb_frame(image: np.ndarray) -> av.VideoFrame:
    """(H, W, 3) BGR, uint8 or uint16 -> a frame of the same values."""
    if image.dtype == np.uint8:
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(image[..., ::-1]), format="rgb48le")


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


def _scaled(image: np.ndarray, gain: float) -> np.ndarray:
    """Rounded and kept within the depth."""
    return cv2.addWeighted(image, gain, image, 0.0, 0.0)


def _plane_array(plane: av.video.plane.VideoPlane, kind: np.dtype) -> np.ndarray:
    """(H, W) view of a plane, whose lines may be padded."""
    lines = np.frombuffer(plane, kind).reshape(plane.height, plane.line_size // kind.itemsize)
    return lines[:, : plane.width]


def _color_range(frame: av.VideoFrame) -> int:
    if frame.color_range != ColorRange.UNSPECIFIED:
        return frame.color_range
    is_full = frame.format.name.startswith(("yuvj", "gray"))
    return ColorRange.JPEG if is_full else ColorRange.MPEG
