"""What `extract` can be told."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from core.options import add_arguments, option
from facelib.face_type import FaceType
from facelib.smoothing import MOST_FRAMES

FACE_TYPES = ("h", "mf", "f", "wf", "head", "fna", "hna")

ALIASES = {
    "--input-file": {"dest": "input_dir", "type": Path},
    "--max-faces-from-image": {"dest": "max_faces", "type": int},
    "--force-gpu-idxs": {"dest": "gpus"},
    "--cpu-only": {"dest": "gpus", "action": "store_const", "const": "cpu"},
}
"""Flags of other programs that mean one of ours; they work and are not shown."""


@dataclass(frozen=True)
class ExtractOptions:
    """Settings of one extraction."""

    input_dir: Path | None = option(
        None, ask=True, help="Folder with the frames, or a video; NAME.* takes the first "
        "file with that name.")
    output_dir: Path | None = option(None, ask=True, help="Folder for the aligned faces.")
    every: int = option(1, low=1, help="Takes only every Nth frame.")
    face_type: str = option(
        "f", choices=FACE_TYPES, ask=True,
        words={FaceType.parse(short).label: short for short in FACE_TYPES},
        help="How much of the head is kept: half, mid-full, full, whole face or head; fna and hna "
        "are full face and head that stay upright in the frame.")
    image_size: int = option(
        256, low=64, high=2048, ask=True, help="Side of the aligned faces, in pixels.")
    max_faces: int = option(
        0, low=0, ask=True, help="Most faces kept per frame, the largest first; 0 keeps all.")
    jpeg_quality: int = option(92, low=1, high=100, help="Quality of the aligned JPEGs.")
    detector: str = option("yunet", help="Face detector: a known name or your module:Class.")
    landmarks: str = option(
        "facemesh", help="Landmark extractor: a known name or your module:Class.")
    samples: int = option(
        1, low=1, high=5,
        help="Slightly shifted crops whose landmarks are averaged; 5 takes off a quarter of the "
        "jitter.")
    second_pass: bool = option(
        False, help="Find the landmarks once more in the aligned face; for extractors that go by "
        "the detector's box alone.")
    min_face_size: float = option(
        16.0, low=0, help="Shorter side of the smallest face kept, in pixels.")
    rotate: bool = option(
        True, help="Turn frames in which no face is found, and look again.")
    smooth: int = option(
        0, low=0, high=MOST_FRAMES,
        help="Smooth the landmarks over about so many frames before and after each, inside a "
        "shot; 3 takes off two thirds of the jitter.")
    identity: str | None = option(
        None, help="Tells people apart, so that a face keeps its track after a cut: appearance, or "
        "your module:Class.")
    output_debug: bool = option(
        False, help="Write each frame with its faces drawn into the folder beside, NAME_debug.")
    manual: bool = option(
        False, help="Set the faces of all frames by hand, in a window; h in it shows the keys. "
        "Faces found before are there to be corrected.")
    manual_fix: bool = option(
        False, help="Find faces automatically, then set those of the frames without one by hand.")
    manual_output_debug_fix: bool = option(
        False, help="Set the faces of those extracted frames by hand whose debug frame you have "
        "deleted from NAME_debug.")
    manual_window_size: int = option(
        1368, low=0, high=8192, help="Width of a 16:9 frame in the manual window, in pixels; 0 "
        "shows frames as they are.")
    scheduler: str | None = option(
        None, help="Work on the tcp://host:port of a Dask scheduler, whose workers see the same "
        "folders, or in processes:N of this machine.")
    gpus: str | None = option(
        None, help="GPUs to use, such as 0 or 0,1; cpu uses none.")
    overwrite: bool = option(
        False, help="Replace the faces of an earlier extraction with other settings, and bring "
        "back those that were deleted since.")


FINDING = ("detector", "landmarks", "samples", "second_pass", "min_face_size", "rotate",
           "max_faces", "identity")
"""Options that decide which faces and landmarks are found."""

WRITING = (*FINDING, "every", "face_type", "image_size", "jpeg_quality", "smooth")
"""Options that decide what the files look like."""


def add_extract_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags and their aliases."""
    add_arguments(parser, ExtractOptions)
    for flag, settings in ALIASES.items():
        parser.add_argument(flag, **{"default": argparse.SUPPRESS, "help": argparse.SUPPRESS,
                                     **settings})
