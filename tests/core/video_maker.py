"""Small videos made with PyAV alone, for tests of the video modules."""

import hashlib
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Interpolation

ROUNDED = Interpolation.BICUBIC | Interpolation.ACCURATE_RND


def picture(index, width=64, height=48):
    """(H, W, 3) uint8 BGR: a grey level that tells the index, and an upper left red corner."""
    image = np.full((height, width, 3), 20 + 6 * index % 216, np.uint8)
    image[: height // 3, : width // 3] = (0, 0, 255)
    return image


def make_video(
    path,
    n_frames=12,
    *,
    size=(64, 48),
    rate=Fraction(25),
    pts=None,
    time_base=None,
    codec="libx264",
    pixel_format="yuv420p",
    audio=(),
    degrees=None,
    options=None,
    matrix=5,
):
    """Writes a video whose frame i shows `picture(i)`.

    Args:
        pts: Start ticks; default 0, 1, 2, ... of 1 / rate.
        time_base: Seconds per tick; default 1 / rate.
        audio: One codec name per sound track; each carries a tone of its own.
        degrees: Counter-clockwise turn of the display matrix.
        matrix: H.273 number of the colour matrix to use and tag (5 BT.601, 1 BT.709).
    """
    width, height = size
    time_base = time_base or 1 / rate
    pts = list(range(n_frames)) if pts is None else pts
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.time_base = stream.time_base = time_base
        if "yuv" in pixel_format:
            stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 1
        if degrees is not None:
            stream.set_display_rotation(degrees)
        tracks = [add_track(container, name) for name in audio]
        for index, tick in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(picture(index, width, height), format="bgr24")
            if "yuv" in pixel_format:
                frame = frame.reformat(format=pixel_format, dst_colorspace=matrix,
                                       src_color_range=2, dst_color_range=1,
                                       interpolation=ROUNDED)
            frame.pts, frame.time_base = tick, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        seconds = float(pts[-1] * time_base) + 0.04
        for number, track in enumerate(tracks):
            write_tone(container, track, seconds, 220 * (number + 1))
    return path


def add_track(container, codec):
    """Adds a 32 kHz mono sound track."""
    track = container.add_stream(codec, rate=32000)
    track.layout = "mono"
    return track


def write_tone(container, track, seconds, hertz):
    """Encodes a sine of `seconds`."""
    times = np.arange(int(seconds * 32000)) / 32000
    tone = (8000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 32000, 0, Fraction(1, 32000)
    container.mux(track.encode(frame))
    container.mux(track.encode(None))


def audio_packets(path):
    """[(start in seconds, hash of the bytes)] for each sound track."""
    tracks = {}
    with av.open(str(path)) as container:
        streams = container.streams.audio
        for packet in container.demux(*streams) if streams else []:
            if packet.size:
                entry = (float(packet.pts * packet.time_base),
                         hashlib.sha256(bytes(packet)).hexdigest())
                tracks.setdefault(packet.stream_index, []).append(entry)
    return [tracks[index] for index in sorted(tracks)]


def decoded_times(path):
    """Start of each frame in seconds, as plain PyAV decoding gives them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [float(frame.pts * stream.time_base) for frame in container.decode(stream)]


def damage_packet(path, index):
    """Overwrites the bytes of one video packet in the file."""
    with av.open(str(path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][index]
        position, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[position:position + size] = b"\x00" * size
    path.write_bytes(bytes(data))
