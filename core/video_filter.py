"""FFmpeg's filters on pictures that follow each other."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import av
import numpy as np

from core.errors import VideoError
from core.video_color import EXACT, to_rgb_frame
from core.video_types import reason

Filter = tuple[str, str]
"""Name and arguments, as FFmpeg's documentation gives them: ("nlmeans", "s=4:p=7")."""

_TICK = Fraction(1, 25)  # pictures have no times here, but filters want some


def filter_pictures(pictures: Iterable[np.ndarray], chain: Sequence[Filter]
                    ) -> Iterator[np.ndarray]:
    """Sends pictures through a chain of filters that gives as many as it takes.

    Filters work on planes of B, G and R at the pictures' depth, so that nothing but the filters
    changes a value.

    Args:
        pictures: (H, W, 3) BGR, uint8 or uint16, all of one size and depth.
        chain: At least one filter.

    Yields:
        The filtered pictures, in order; some are taken ahead.

    Raises:
        VideoError: A filter is unknown or refuses its arguments, or pictures differ in size.
    """
    graph, shape, kind = None, None, None
    for index, picture in enumerate(pictures):
        if graph is None:
            shape, kind = picture.shape, picture.dtype
            graph = _open_graph(shape, kind, chain)
        if picture.shape != shape or picture.dtype != kind:
            raise VideoError(f"picture {index + 1} is {_described(picture.shape, picture.dtype)}, "
                             f"but those before are {_described(shape, kind)}; all pictures must "
                             "be alike")
        frame = to_rgb_frame(picture).reformat(format=_planes(kind), interpolation=EXACT)
        frame.pts, frame.time_base = index, _TICK
        graph.push(frame)
        yield from _ready(graph, kind)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph, kind)


def _open_graph(shape: tuple[int, ...], kind: np.dtype, chain: Sequence[Filter]) -> av.filter.Graph:
    graph = av.filter.Graph()
    try:
        last = graph.add_buffer(width=shape[1], height=shape[0], time_base=_TICK,
                                format=av.VideoFormat(_planes(kind)))
        for name, arguments in (*chain, ("buffersink", "")):
            following = graph.add(name, arguments)
            last.link_to(following)
            last = following
        graph.configure()
    except (av.error.FFmpegError, ValueError) as error:
        names = ", ".join(f"{name}={arguments}" for name, arguments in chain)
        raise VideoError(f"FFmpeg cannot filter pictures by {names} ({reason(error)}); change the "
                         "settings") from error
    return graph


def _ready(graph: av.filter.Graph, kind: np.dtype) -> Iterator[np.ndarray]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if kind == np.uint8:
            yield frame.reformat(format="bgr24", interpolation=EXACT).to_ndarray()
        else:
            deep = frame.reformat(format="rgb48le", interpolation=EXACT).to_ndarray()
            yield np.ascontiguousarray(deep[..., ::-1])


def _planes(kind: np.dtype) -> str:
    return "gbrp" if kind == np.uint8 else "gbrp16le"


def _described(shape: tuple[int, ...], kind: np.dtype) -> str:
    return f"{shape[1]}x{shape[0]} with {8 * np.dtype(kind).itemsize} bits"
