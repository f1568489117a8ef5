"""The first frames of a video with its sound, cut with PyAV alone."""

from fractions import Fraction

import av


def cut_clip(source, path, n_frames, width, height, *, start=0):
    """Writes `n_frames` frames from number `start` on, shrunk, and the sound that belongs to them.

    Sound packets are copied, so that their bytes can be compared with those of a result.
    """
    with av.open(str(source)) as opened, av.open(str(path), "w") as made:
        video = opened.streams.video[0]
        stream = made.add_stream("libx264", rate=video.average_rate, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        sounds = [(sound, made.add_stream_from_template(sound))
                  for sound in opened.streams.audio]
        tick = 1 / Fraction(video.average_rate)
        for number, frame in enumerate(opened.decode(video)):
            if start <= number < start + n_frames:
                frame = frame.reformat(width, height, "yuv420p")
                frame.pts, frame.time_base = number - start, tick
                made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
        for sound, copy in sounds:
            opened.seek(0)
            for packet in opened.demux(sound):
                if packet.size and packet.pts * packet.time_base < n_frames * tick:
                    packet.stream = copy
                    made.mux(packet)
    return path
