"""What `merge` can be told about files; how faces are merged is `merger.options`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from core.options import add_arguments, option
from models.registry import MODELS

ALIASES = {
    "--force-model-name": {"dest": "name"},
    "--force-gpu-idxs": {"dest": "gpus"},
    "--cpu-only": {"dest": "gpus", "action": "store_const", "const": "cpu"},
}
"""Flags of other programs that mean one of ours; they work and are not shown."""


@dataclass(frozen=True)
class MergeFiles:
    """What is merged into what."""

    input_dir: Path | None = option(
        None, ask=True, help="Folder with the dst frames, or the dst video; NAME.* takes the first "
        "file with that name.")
    aligned_dir: Path | None = option(None, ask=True, help="Folder with the aligned dst faces.")
    output_dir: Path | None = option(
        None, ask=True, when=lambda files: files.output_video is None,
        help="Folder for the merged frames.")
    output_mask_dir: Path | None = option(
        None, ask=True, when=lambda files: files.output_video is None,
        help="Folder for their masks; none writes no masks.")
    output_video: Path | None = option(
        None, help="Video to make, instead of a folder of frames: with the times and the sound of "
        "the input, which must be a video.")
    output_mask_video: Path | None = option(None, help="Video of the masks beside it.")
    compositor_dir: Path | None = option(
        None, help="Folder for the new faces by themselves as well: pictures of 16 bits with "
        "alpha, and JSON that says where they go, for compositing elsewhere.")
    settings: Path | None = option(
        None, help="File that says how each frame is merged, as --interactive writes it; then the "
        "options of merging are not asked for.")
    interactive: bool = option(
        False, help="Open a window in which every frame is merged as you set it.")
    model_dir: Path | None = option(None, ask=True, help="Folder of all models.")
    model: str | None = option(
        None, help=f"Kind of model: {', '.join(MODELS.names())}, or your own as "
        "package.module:Class. Left out, that of the saved model of this name.")
    name: str = option("new", help="Name of the model.")
    track: str | None = option(
        None, help="Swap the faces of these tracks only, such as 0 or 0,2: the numbers that "
        "extract gave to the people of the video. Left out, all faces are swapped.")
    reference: Path | None = option(
        None, help="Swap only the person on this picture, which should come from the same video: "
        "a frame, or an aligned face.")
    fill_gaps: int = option(
        5, low=0, high=100, help="Longest stretch of frames in which a tracked face that was not "
        "found is put where it must have been; 0 leaves such frames as they are. Faces that were "
        "deleted by hand never come back.")
    segmenter: str | None = option(
        None, help="What makes the XSeg masks: a known name or your module:Class. Left out, the "
        "trained XSeg of the model folder, or else the imported one or the one that comes along.")
    enhancer: str | None = option(
        None, help="What makes faces sharper for super_resolution_power: a known name or your "
        "module:Class. Left out, the trained FaceEnhancer of the model folder, or else the "
        "imported one.")
    gpus: str | None = option(None, help="GPUs to use, such as 0 or 0,1; cpu uses none.")
    scheduler: str | None = option(
        None, help="Work on the tcp://host:port of a Dask scheduler, whose workers see the same "
        "folders, or in processes:N of this machine.")
    overwrite: bool = option(
        False, help="Replace frames merged with other settings or an older model.")


def add_merge_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the files and their aliases."""
    add_arguments(parser, MergeFiles)
    for flag, settings in ALIASES.items():
        parser.add_argument(flag, **{"default": argparse.SUPPRESS, "help": argparse.SUPPRESS,
                                     **settings})
