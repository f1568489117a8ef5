"""`demo`: swaps the face of one clip into another, from two videos to a video, in one go."""

import argparse
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from core.imaging.io import write_image
from core.options import add_arguments, option
from core.prompt import Prompter
from core.report import Reporter
from mainscripts.command import require_all_frames, resolve_options
from mainscripts.demo_report import StageReport, demo_contact_sheet
from mainscripts.extract import Extraction, ExtractOptions, extract
from mainscripts.merging.job import Merging, merge
from mainscripts.merging.journal import JOURNAL
from mainscripts.merging.options import MergeFiles
from mainscripts.train import require_finished, train_model
from mainscripts.training.options import TrainOptions
from mainscripts.training.session import Training
from mainscripts.videoed import (
    ExtractVideoOptions,
    VideoFromSequenceOptions,
    extract_video,
    require_all_written,
    video_from_sequence,
)
from merger.options import MergeOptions
from models.quick96.options import Quick96Options

CLIPS = Path(__file__).resolve().parents[1] / "demo"
# What two CPU cores can train within minutes: under half of Quick96's pixels, half of its widths or
# less, and full steps (no learning-rate dropout) that grow small over the second half.
MODEL = Quick96Options(
    resolution=64, e_dims=32, d_dims=24, d_mask_dims=8, batch_size=4, lr_dropout=1.0, lr_decay=0.5,
    random_src_flip=True, random_dst_flip=True, save_minutes=1.0, preview_seconds=20.0, seed=1)


STARTER = CLIPS / "starter" / "weights.npz"  # of MODEL, trained on other faces


@dataclass(frozen=True)
class DemoOptions:
    """What the demo swaps, where, and for how long it trains."""

    minutes: float = option(6.0, low=0.01, help="Minutes of training.")
    workspace: Path = option(Path("demo_workspace"), help="Folder for everything it makes.")
    src: Path = option(CLIPS / "src_woman.mp4", help="Video of the face to put in.")
    dst: Path = option(CLIPS / "dst_man.mp4", help="Video to change.")
    starter: bool = option(True, help="Start from the bundled weights, which know faces in "
                                      "general, instead of random ones.")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    add_arguments(parser, DemoOptions)


def run(arguments: argparse.Namespace, reporter: Reporter, prompter: Prompter) -> int:
    """Runs or continues the demo."""
    demo(resolve_options(DemoOptions, arguments, prompter), reporter)
    return 0


def demo(options: DemoOptions, reporter: Reporter) -> None:
    """Runs what is not done yet of the whole job.

    Raises:
        KeyboardInterrupt: Training was stopped from outside, after it saved.
        FramesFailed: Frames of a clip cannot be read or merged.
    """
    start = time.monotonic()
    workspace = options.workspace
    workspace.mkdir(parents=True, exist_ok=True)
    stages = StageReport(workspace / "report.json")
    for side, clip in (("src", options.src), ("dst", options.dst)):
        _extract_side(side, clip, workspace, stages, reporter)
    training = stages.run(
        "train", lambda: _train(options, reporter), _describe_training)
    require_finished(training)
    files = _merge_files(workspace)
    merging = stages.run(
        "merge", lambda: merge(files, MergeOptions(), reporter), _describe_merging)
    require_all_frames(merging.failed, merging.frames, files.input_dir, reporter)
    stages.run("video", lambda: _make_videos(files, options.dst, workspace, reporter),
               lambda n_frames: (n_frames, {}))
    shutil.copyfile(training.preview, workspace / "preview.png")
    write_image(workspace / "contact_sheet.png", demo_contact_sheet(
        files.input_dir, files.output_dir, files.output_mask_dir))
    stages.write(src=str(options.src), dst=str(options.dst), minutes=options.minutes,
                 seconds_of_last_run=round(time.monotonic() - start, 1))
    reporter.info(f"done: {workspace / 'result.mp4'}, {workspace / 'contact_sheet.png'}")


def _extract_side(side: str, clip: Path, workspace: Path, stages: StageReport,
                  reporter: Reporter) -> None:
    folder = workspace / f"data_{side}"
    frames = stages.run(
        f"extract frames {side}",
        lambda: extract_video(ExtractVideoOptions(input_file=clip, output_dir=folder), reporter),
        lambda done: (done.n_written, {"frames": done.n_frames}))
    require_all_written(frames)
    faces = stages.run(
        f"extract faces {side}",
        lambda: extract(ExtractOptions(input_dir=folder, output_dir=folder / "aligned"), reporter),
        _describe_extraction)
    require_all_frames(faces.failed, faces.frames, folder, reporter)


def _describe_extraction(done: Extraction) -> tuple[int, dict]:
    return done.done_now, {"frames": done.frames, "frames_with_faces": done.frames_with_faces,
                           "faces": done.faces, "failed_frames": done.failed}


def _train(options: DemoOptions, reporter: Reporter) -> Training:
    from models.store import ModelStore

    data = {side: options.workspace / f"data_{side}" / "aligned" for side in ("src", "dst")}
    folder = options.workspace / "model"
    is_new = not ModelStore(folder, "Quick96", "demo").generations.numbers()
    files = TrainOptions(data["src"], data["dst"], folder, name="demo",
                         start_from=STARTER if options.starter and is_new else None)
    model = replace(MODEL, target_minutes=options.minutes)
    return train_model("Quick96", files, lambda saved: model, reporter)


def _describe_training(done: Training) -> tuple[float, dict]:
    return done.images, {"iterations": done.iterations, "losses": done.losses,
                         "minutes_in_all": round(done.seconds / 60, 2)}


def _merge_files(workspace: Path) -> MergeFiles:
    data = workspace / "data_dst"
    # Only frames of an older generation of this very model are ever replaced.
    return MergeFiles(
        input_dir=data, aligned_dir=data / "aligned", output_dir=data / "merged",
        output_mask_dir=data / "merged_mask", model_dir=workspace / "model", name="demo",
        overwrite=True)


def _describe_merging(done: Merging) -> tuple[int, dict]:
    return done.done_now, {"frames": done.frames, "merged_frames": done.merged,
                           "failed_frames": done.failed}


def _make_videos(files: MergeFiles, dst: Path, workspace: Path, reporter: Reporter) -> int:
    """Makes both videos unless they are newer than the merged frames; returns frames written."""
    result = VideoFromSequenceOptions(
        input_dir=files.output_dir, output_file=workspace / "result.mp4", reference_file=dst,
        include_audio=True, fill_gaps=True, overwrite=True)
    mask = replace(result, input_dir=files.output_mask_dir, include_audio=False, mask=True,
                   output_file=workspace / "result_mask.mp4")
    merged_at = (files.output_dir / JOURNAL).stat().st_mtime
    n_frames = 0
    for video in (result, mask):
        if _is_older(video.output_file, merged_at):
            n_frames += video_from_sequence(video, reporter).n_images
    return n_frames


def _is_older(path: Path, time_stamp: float) -> bool:
    return not path.exists() or path.stat().st_mtime < time_stamp
