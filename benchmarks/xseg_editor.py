"""Opens the editor on a large faceset and prints how long things take, and how much memory.

    python -m benchmarks.xseg_editor [--faces 1000] [--side 512] [--folder FACESET]

The faces are those of a demo clip again and again, every tenth with a polygon. The window is drawn
as always, on Qt's platform without a screen, in a process that does nothing else. "Open" is from
the start of that process until the first face is painted; a move is from the event of the key until
the next face, its neighbours and the panel are painted.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from benchmarks.command import extract_whole_faces
from benchmarks.machine import ROOT, PeakMemory, quiet_tensorflow
from core.polygons import Polygon
from samplelib.face_image import read_info
from samplelib.face_labels import write_polygons

CLIP = ROOT / "demo" / "src_woman.mp4"
LABELLED_EVERY = 10
PAUSE_MS = 60  # of a quick person
_LONGEST_SECONDS = 120


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--folder", type=Path, help="A faceset of one's own in place of copies.")
    parser.add_argument("--moves", type=int, default=100)
    parser.add_argument("--no-segmenter", action="store_true", help="Suggest nothing at the end.")
    return parser.parse_args(words)


def make_faceset(aligned: Path, folder: Path, n_faces: int) -> Path:
    """A folder with the faces of another one again and again, every tenth with a polygon."""
    folder.mkdir()
    for number, path in zip(range(n_faces), itertools.cycle(sorted(aligned.glob("*.jpg")))):
        copy = folder / f"{number:05d}_0.jpg"
        shutil.copyfile(path, copy)
        if number % LABELLED_EVERY == 0:
            outline = read_info(copy).landmarks[[*range(17), 26, 24, 19, 17]]
            write_polygons(copy, [Polygon(outline)])
    return folder


def measure(folder: Path, settings: Path, n_moves: int, suggests: bool) -> dict[str, float]:
    """Opens the window, goes through faces, asks for a suggestion, and closes it."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from mainscripts.xseg_editor.run import open_window
    from mainscripts.xseg_editor.toolkit import require_toolkit
    from mainscripts.xseg_segmenter import find_segmenter

    require_toolkit()
    from PySide6.QtWidgets import QApplication

    from mainscripts.xseg_editor.theme import apply_theme

    application = QApplication(["benchmark"])
    apply_theme(application)
    quiet_tensorflow()
    load = (lambda: find_segmenter("xseg")) if suggests else None
    with PeakMemory() as peak, open_window(folder, load, settings) as window:
        window.resize(1280, 800)
        window.show()
        application.processEvents()
        window.grab()
        opened = time.time() - psutil.Process().create_time()
        window.session.scan.wait()
        scanned = time.time() - psutil.Process().create_time()
        _wait(500)
        figures = {
            "faces": len(window.session.document.names), "seconds_to_open": round(opened, 2),
            "seconds_until_all_are_known": round(scanned, 2),
            **_summary("move", [_move(window) for _ in range(n_moves)]),
            **_summary("move_by_five", [_move(window, steps=5) for _ in range(n_moves)])}
        figures["peak_mb"] = round(max(peak.n_bytes, _resident()) / 2**20)
        if suggests:
            figures |= _suggested(window)
            figures |= _summary("move_beside_segmenter", [_move(window) for _ in range(n_moves)])
            figures["peak_mb_with_segmenter"] = round(max(peak.n_bytes, _resident()) / 2**20)
    return figures


def _move(window, steps: int = 1) -> tuple[float, float]:
    """Presses the key of the next face, or with Shift that of the fifth.

    Returns:
        Milliseconds until all is painted, by the clock and of this thread's computing.

    Raises:
        RuntimeError: The key led to another face.
    """
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    names = window.session.document.names
    wanted = names[min(names.index(window.session.document.current) + steps, len(names) - 1)]
    held = Qt.KeyboardModifier.ShiftModifier if steps > 1 else Qt.KeyboardModifier.NoModifier
    started, computed = time.perf_counter(), time.thread_time()
    QTest.keyClick(window.canvas, Qt.Key.Key_D, held)
    for part in (window.canvas, window.strip, window.panel):
        part.repaint()  # now, rather than when there is time
    taken = time.perf_counter() - started, time.thread_time() - computed
    if window.session.document.current != wanted:
        raise RuntimeError(f"the window shows {window.session.document.current}, not {wanted}")
    _wait(PAUSE_MS)
    return 1000 * taken[0], 1000 * taken[1]


def _suggested(window) -> dict[str, float]:
    """Asks for a suggestion, and then for the list of the least sure faces, which goes on."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    document = window.session.document
    QTest.keyClick(window.canvas, Qt.Key.Key_Home)
    QTest.keyClick(window.canvas, Qt.Key.Key_D)
    started, before = time.perf_counter(), document.info.polygons
    QTest.keyClick(window.canvas, Qt.Key.Key_S)
    while document.info.polygons == before:
        _wait(5)
        if time.perf_counter() - started > _LONGEST_SECONDS:
            raise RuntimeError(f"no suggestion came: {window.session.predictions.failure}")
    seconds = time.perf_counter() - started
    QTest.keyClick(window.canvas, Qt.Key.Key_N)
    return {"seconds_to_load_and_suggest": round(seconds, 2)}


def _wait(milliseconds: float) -> None:
    """Lets the window live; Qt's own waiting for tests would keep all other threads waiting."""
    from PySide6.QtWidgets import QApplication

    until = time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < until:
        QApplication.processEvents()
        time.sleep(0.002)


def _resident() -> int:
    return psutil.Process().memory_info().rss


def _summary(name: str, times: Sequence[tuple[float, float]]) -> dict[str, float]:
    taken, computing = np.array(times).T
    return {f"{name}_ms_median": round(float(np.median(taken)), 1),
            f"{name}_ms_p95": round(float(np.percentile(taken, 95)), 1),
            f"{name}_ms_worst": round(float(taken.max()), 1),
            f"{name}_cpu_ms_median": round(float(np.median(computing)), 1)}


def measure_copies(arguments: argparse.Namespace) -> None:
    """Makes the faceset, and has a new process measure it."""
    with tempfile.TemporaryDirectory() as scratch:
        aligned = Path(scratch) / "aligned"
        extract_whole_faces(CLIP, aligned, "--image-size", arguments.side)
        copies = make_faceset(aligned, Path(scratch) / "copies", arguments.faces)
        words = ["--no-segmenter"] if arguments.no_segmenter else []
        subprocess.run([sys.executable, "-m", "benchmarks.xseg_editor", "--folder", copies,
                        "--moves", str(arguments.moves), *words], check=True, cwd=ROOT)


def main(words: Sequence[str] | None = None) -> None:
    """Prints the figures as JSON."""
    arguments = parse(words)
    if arguments.folder is None:
        measure_copies(arguments)
        return
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(arguments.folder, Path(scratch) / "settings.json",
                          arguments.moves, not arguments.no_segmenter)
    print(json.dumps({**figures, "load_average": round(psutil.getloadavg()[0], 2)}, indent=1))


if __name__ == "__main__":
    main()
