"""Videos in and out: the public names of the `video_*` modules, in one place."""

from core.video_read import probe, read_frames, read_timeline, read_timestamps
from core.video_types import AudioStream, DamagedFrame, Timeline, VideoFrame, VideoInfo, find_video
from core.video_write import VideoWriter

__all__ = [
    "AudioStream",
    "DamagedFrame",
    "Timeline",
    "VideoFrame",
    "VideoInfo",
    "VideoWriter",
    "find_video",
    "probe",
    "read_frames",
    "read_timeline",
    "read_timestamps",
]
