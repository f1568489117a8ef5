"""A training that never was: a history and previews that look like real ones."""

from pathlib import Path

import cv2
import numpy as np

from core.imaging.draw import tile
from mainscripts.views.view import TrainingStatus
from models.history import LossHistory

CLIPS = Path(__file__).parents[3] / "demo"
# Of each clip: where the face is (x, y) and how high the crop, as parts of the frame.
BOXES = {"src_woman.mp4": (0.71, 0.46, 0.78), "dst_man.mp4": (0.5, 0.4, 0.75)}


def history_of(n_iterations, seed=0):
    """Falling, noisy losses with a spike, and times with a slow stretch."""
    rng = np.random.default_rng(seed)
    iteration = np.arange(1, n_iterations + 1)
    columns = {}
    for name, start, floor in (("src", 4.2, 0.32), ("dst", 3.7, 0.24)):
        trend = floor + start * (1 + iteration / 180.0) ** -0.62
        columns[name] = (trend * rng.lognormal(0, 0.13, n_iterations)).astype(np.float32)
        columns[name][n_iterations * 2 // 3:n_iterations * 2 // 3 + 1] *= 6
    seconds = 0.155 + 0.01 * rng.standard_normal(n_iterations) ** 2
    seconds[n_iterations // 3: n_iterations // 3 + n_iterations // 20] += 0.05
    return LossHistory.from_state(columns | {"seconds": seconds.astype(np.float32)})


def faces(clip_name, n, side=160):
    """n (side, side, 3) uint8 faces of a demo clip."""
    centre_x, centre_y, share = BOXES[clip_name]
    clip = cv2.VideoCapture(str(CLIPS / clip_name))
    found = []
    for index in range(n):
        clip.set(cv2.CAP_PROP_POS_FRAMES, 20 + 40 * index)
        frame = clip.read()[1]
        size = int(frame.shape[0] * share)
        x, y = (int(round(at * length - size / 2))
                for at, length in ((centre_x, frame.shape[1]), (centre_y, frame.shape[0])))
        found.append(cv2.resize(frame[max(y, 0):y + size, x:x + size], (side, side),
                                interpolation=cv2.INTER_AREA))
    clip.release()
    return found


def previews(blur=3, side=160, n=4):
    """{"faces": rows of faces and of softer ones, "faces masked": the same in an oval}."""
    oval = np.zeros((side, side, 3), np.uint8)
    cv2.ellipse(oval, (side // 2, side // 2), (side * 3 // 8, side // 2), 0, 0, 360, (1, 1, 1), -1)
    rows = [[src, cv2.GaussianBlur(src, (0, 0), blur), dst, cv2.GaussianBlur(dst, (0, 0), blur),
             cv2.GaussianBlur(src[:, ::-1], (0, 0), blur)]
            for src, dst in zip(faces("src_woman.mp4", n, side), faces("dst_man.mp4", n, side))]
    titles = ["src", "src again", "dst", "dst again", "swap"]
    return {"faces": tile(rows, column_labels=titles),
            "faces masked": tile([[face * oval for face in row] for row in rows],
                                 column_labels=titles)}


def status_of(history, **changes):
    """A status at the end of a history."""
    facts = {
        "name": "anna", "kind": "SAEHD", "iteration": len(history), "history": history,
        "target_iteration": 100000, "seconds": len(history) * 0.157,
        "iterations_per_second": 6.37, "images_per_second": 102.0,
        "losses": {name: history.recent(name) for name in history.names},
        "terms": {"src dssim": 0.1931, "src mse": 0.0871, "src mask": 0.0124, "dst dssim": 0.1412,
                  "dst mse": 0.0633, "dst mask": 0.0107},
        "data_wait_ms": 1.4, "memory_mb": 3271.0}
    return TrainingStatus(**{**facts, **changes})
