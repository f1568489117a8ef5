"""Kills merges (-9) at random moments and looks at what is left.

    python -m tests.chaos.kill_merging --kills 100

Every merge is the real command with a small model on frames of the demo clip, in turn into a folder
of frames and straight into a video, and goes on where the one before was killed. After each kill
every file that is there must be whole, and all that the journal notes must exist. When a merge
comes to its end, its frames must equal those of one that nobody disturbed, byte for byte of their
pixels; then it begins anew.

The merges are forked from this process, which has imported everything but never used TensorFlow.
Prints one JSON line.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import main as command_line
import models.loading  # noqa: F401: imports TensorFlow before the forks
from core.imaging.io import read_image
from core.journal import read_done
from core.paths import image_paths
from core.provenance import read_manifest
from core.video import read_frames
from mainscripts.merging import video_output
from tests.e2e.short_clips import cut_clip
from tests.models.tiny import FLAGS

DEMO = Path(__file__).parents[2] / "demo"
N_FRAMES, CLIP_SIZE = 96, (320, 180)
PART_FRAMES = 12
KINDS = ("frames", "video")


class Playground:
    """A folder with a video, its faces and a model, and how long a merge takes."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.clip = cut_clip(DEMO / "dst_man.mp4", folder / "dst.mp4", N_FRAMES, *CLIP_SIZE)
        self._do("extract", "--input-dir", self.clip, "--output-dir", folder / "aligned")
        self._do("train", "--src-dir", folder / "aligned", "--dst-dir", folder / "aligned",
                 "--model-dir", folder / "model", *FLAGS, "--target-iteration", 2)
        start = time.monotonic()
        for kind in KINDS:
            self._do(*self.words(kind, "undisturbed"))
        self.seconds = (time.monotonic() - start) / len(KINDS)
        self.wanted = {kind: pixels(kind, folder / f"undisturbed-{kind}") for kind in KINDS}

    def words(self, kind: str, name: str) -> list:
        """Of a merge into the folder or the video of that name."""
        target = self.folder / f"{name}-{kind}"
        output = {"frames": ["--output-dir", target / "merged",
                             "--output-mask-dir", target / "masks"],
                  "video": ["--output-video", target / "result.mp4",
                            "--output-mask-video", target / "mask.mp4"]}[kind]
        return ["merge", "--input-dir", self.clip, "--aligned-dir", self.folder / "aligned",
                "--model-dir", self.folder / "model", "--mask-mode", "dst", *output]

    def start(self, *words) -> int:
        """Forks a command; gives its process."""
        process = os.fork()
        if process:
            return process
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        video_output.PART_FRAMES = PART_FRAMES
        os._exit(command_line.main([*map(str, words), "--no-prompt", "--quiet"]))

    def _do(self, *words) -> None:
        _, status = os.waitpid(self.start(*words), 0)
        assert os.waitstatus_to_exitcode(status) == 0, words


def pixels(kind: str, target: Path) -> dict[str, str]:
    """Name -> checksum of every picture of a finished merge."""
    if kind == "frames":
        return {f"{folder}/{path.name}": _checksum(read_image(path))
                for folder in ("merged", "masks") for path in image_paths(target / folder)}
    return {f"{name}/{frame.index}": _checksum(frame.image)
            for name in ("result", "mask") for frame in read_frames(target / f"{name}.mp4")}


def _checksum(picture) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


def run_and_kill(ground: Playground, kind: str, rng: random.Random) -> bool:
    """One merge, killed at a random moment; gives whether it came to its end before."""
    process = ground.start(*ground.words(kind, "disturbed"))
    time.sleep(rng.uniform(0.2, 1.0) * ground.seconds)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.waitstatus_to_exitcode(status) == 0, "a merge failed"
    return True


def look_at_frames(target: Path) -> str:
    """Every picture is whole and every line of the journal true; gives how far the merge was."""
    done = read_done(target / "merged" / "merge.jsonl")
    there = {folder: {path.stem for path in image_paths(target / folder)}
             if (target / folder).is_dir() else set() for folder in ("merged", "masks")}
    for name in done:
        assert Path(name).stem in there["merged"] & there["masks"], f"{name} is noted but not there"
    for folder, stems in there.items():
        for stem in stems:
            read_image(target / folder / f"{stem}.png")
    for stem in there["merged"]:
        assert read_manifest(target / "merged" / f"{stem}.png").state in ("trusted", "missing")
    return "starting" if not done else "merging"


def look_at_video(target: Path) -> str:
    """No half video is there, and every part is whole; gives how far the merge was."""
    parts = target / "result.mp4.parts"
    if not parts.is_dir():
        return "finished" if (target / "result.mp4").exists() else "starting"
    done = {Path(name).stem for name in read_done(parts / "merge.jsonl")}
    whole = {part.name for part in parts.glob("*.mp4") if not part.name.startswith(("joined", "."))}
    for name in whole:
        assert len(list(read_frames(parts / name))) == PART_FRAMES
    for number in range(N_FRAMES // PART_FRAMES):
        frames = {f"{number * PART_FRAMES + n:05d}" for n in range(1, PART_FRAMES + 1)}
        if frames & done:  # lines are added one by one, but only when the part is whole
            assert {f"result-{number:05d}.mp4", f"mask-{number:05d}.mp4"} <= whole
    for name in ("result.mp4", "mask.mp4"):
        if (target / name).exists():
            assert read_manifest(target / name).is_valid
    return "joining" if len(done) == N_FRAMES else "merging" if done else "starting"


def finish(ground: Playground, kind: str) -> None:
    """Lets a merge come to its end, compares it and removes it."""
    target = ground.folder / f"disturbed-{kind}"
    if not (target / "result.mp4").exists() or (target / "result.mp4.parts").exists():
        _, status = os.waitpid(ground.start(*ground.words(kind, "disturbed")), 0)
        assert os.waitstatus_to_exitcode(status) == 0
    assert pixels(kind, target) == ground.wanted[kind], "frames differ from an undisturbed merge"
    unfinished = [path for path in target.rglob("*") if path.name.startswith(".part")]
    assert not unfinished and not (target / "result.mp4.parts").exists(), unfinished
    shutil.rmtree(target)


def main(words: Sequence[str] | None = None) -> None:
    """Runs the kills."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill_merging",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="kept afterwards; default: a temporary one")
    arguments = parser.parse_args(words)
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="facelab-chaos-"))
    rng, start = random.Random(arguments.seed), time.monotonic()
    ground = Playground(folder)
    struck, compared = Counter(), 0
    look = {"frames": look_at_frames, "video": look_at_video}
    for number in range(arguments.kills):
        kind = KINDS[number % 2]
        ended = run_and_kill(ground, kind, rng)
        struck[f"{kind}: {look[kind](ground.folder / f'disturbed-{kind}')}"] += 1
        if ended or rng.random() < 0.15:
            finish(ground, kind)
            compared += 1
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{arguments.kills} {dict(struck)}", end="", file=sys.stderr,
                  flush=True)
    for kind in KINDS:
        finish(ground, kind)
    print(json.dumps({"kills": arguments.kills, "struck": struck,
                      "compared": compared + len(KINDS),
                      "seconds": round(time.monotonic() - start)}))
    if arguments.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
