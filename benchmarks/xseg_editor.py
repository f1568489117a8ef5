"""Opens the editor on a large faceset and prints how long things take, and how much memory.

    python -m benchmarks.xseg_editor [--faces 1000] [--side 512] [--folder FACESET]

The window is drawn as always, on Qt's platform without a screen, in a process that does nothing
else. "Open" is from the start of Python's imports until the first face is painted.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import psutil

from benchmarks.sampler import mean_landmarks
from core.polygons import Polygon
from facelib.face_type import FaceType
from samplelib.face_image import write_face
from samplelib.face_info import FaceInfo

N_MOVES = 100


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--folder", type=Path, help="A faceset of one's own in place of noise.")
    return parser.parse_args(words)


def make_faceset(folder: Path, n_faces: int, side: int) -> None:
    """Writes faces of smoothed noise, every tenth with a polygon."""
    landmarks = np.asarray(mean_landmarks(side, FaceType.WHOLE_FACE), np.float64)
    rng = np.random.default_rng(0)
    outline = Polygon(landmarks[[*range(17), 26, 24, 19, 17]])
    for number in range(n_faces):
        noise = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
        image = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
        write_face(folder / f"{number:05d}_0.jpg", image, FaceInfo(
            FaceType.WHOLE_FACE, landmarks, track=0, frame_index=number,
            pose=(0.1, float(rng.normal(0, 0.3)), 0.0),
            polygons=() if number % 10 else (outline,)))


def measure(folder: Path, settings: Path) -> dict[str, float]:
    """Opens the window, goes through faces, draws a polygon, and closes it."""
    started = time.perf_counter()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from mainscripts.xseg_editor.run import open_window
    from mainscripts.xseg_editor.toolkit import require_toolkit

    require_toolkit()
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from mainscripts.xseg_editor.theme import apply_theme

    application = QApplication(["benchmark"])
    apply_theme(application)
    with open_window(folder, None, settings) as window:
        window.resize(1280, 800)
        window.show()
        application.processEvents()
        window.grab()
        opened = time.perf_counter() - started
        window.session.scan.wait()
        scanned = time.perf_counter() - started
        QTest.qWait(500)
        moves = [_move(window, QTest.qWait) for _ in range(N_MOVES)]
        far = [_move(window, QTest.qWait, shift=True) for _ in range(N_MOVES)]
        return {
            "faces": len(window.session.document.names), "seconds_to_open": round(opened, 2),
            "seconds_until_all_are_known": round(scanned, 2),
            **_summary("move", moves), **_summary("move_by_five", far),
            "rss_mb": round(psutil.Process().memory_info().rss / 2**20)}


def _move(window, wait, **held: bool) -> tuple[float, float]:
    """Milliseconds until the next face is painted, by the clock and of this thread's computing;
    then the pause of a quick person."""
    started, computed = time.perf_counter(), time.thread_time()
    window.do("next", **held)
    for part in (window.canvas, window.strip, window.panel):
        part.repaint()  # now, rather than when there is time
    taken = time.perf_counter() - started, time.thread_time() - computed
    wait(60)
    return 1000 * taken[0], 1000 * taken[1]


def _summary(name: str, times: Sequence[tuple[float, float]]) -> dict[str, float]:
    taken, computing = np.array(times).T
    return {f"{name}_ms_median": round(float(np.median(taken)), 1),
            f"{name}_ms_worst_of_{len(times)}": round(float(taken.max()), 1),
            f"{name}_cpu_ms_median": round(float(np.median(computing)), 1),
            f"{name}_cpu_ms_worst": round(float(computing.max()), 1)}


def main(words: Sequence[str] | None = None) -> None:
    """Prints the figures as JSON."""
    arguments = parse(words)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder
        if folder is None:
            folder = Path(temporary) / "aligned"
            folder.mkdir()
            make_faceset(folder, arguments.faces, arguments.side)
        print(json.dumps(measure(folder, Path(temporary) / "settings.json"), indent=1))


if __name__ == "__main__":
    main()
