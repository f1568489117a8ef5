"""What the demo shows at its end: a contact sheet, and a report that survives interruptions."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from core.imaging.draw import contact_sheet
from core.imaging.io import read_image
from core.paths import atomic_write, image_paths

SHEET_FRAMES = 8
SHEET_WIDTH = 480

Result = TypeVar("Result")


class StageReport:
    """`report.json`: what every stage did and how long it took.

    A stage that finds nothing to do keeps what an earlier run wrote about it.
    """

    def __init__(self, path: Path):
        self.path = path
        self.stages = _earlier_stages(path)

    def run(self, name: str, work: Callable[[], Result],
            describe: Callable[[Result], tuple[int, dict[str, Any]]]) -> Result:
        """Runs a stage and writes what it did.

        Args:
            name: Of the stage.
            work: Does it.
            describe: Result -> (how many images it worked on now, facts about all of them).
        """
        start = time.monotonic()
        result = work()
        seconds = time.monotonic() - start
        images, facts = describe(result)
        record = self.stages.setdefault(name, {})
        if images or not record:
            record |= {"seconds": round(seconds, 1),
                       "images_per_second": round(images / seconds, 1) if seconds else 0.0}
        record |= facts
        self.write()
        return result

    def write(self, **facts: Any) -> None:
        """Writes the report; `facts` stand before the stages."""
        text = json.dumps({**facts, "stages": self.stages}, indent=1)
        atomic_write(self.path, f"{text}\n".encode())


def _earlier_stages(path: Path) -> dict[str, dict[str, Any]]:
    """What a report says; nothing if it is missing or damaged, since it only informs."""
    try:
        report = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    stages = report.get("stages") if isinstance(report, dict) else None
    if not isinstance(stages, dict):
        return {}
    return {name: stage for name, stage in stages.items() if isinstance(stage, dict)}


def demo_contact_sheet(frames: Path, merged: Path, masks: Path) -> np.ndarray:
    """Frame, merged frame and mask side by side, for frames spread over the video.

    Args:
        frames, merged, masks: Folders with images of equal stems.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    paths = image_paths(frames, required=True)
    places = np.linspace(0, len(paths) - 1, min(SHEET_FRAMES, len(paths)) + 2)[1:-1]
    rows = []
    for path in (paths[int(round(place))] for place in places):
        columns = (("dst " + path.stem, path), ("merged", merged / f"{path.stem}.png"),
                   ("mask", masks / f"{path.stem}.png"))
        rows.append([(label, _shrunk(read_image(picture))) for label, picture in columns])
    return contact_sheet(rows)


def _shrunk(image: np.ndarray) -> np.ndarray:
    height = round(image.shape[0] * SHEET_WIDTH / image.shape[1])
    return cv2.resize(image, (SHEET_WIDTH, height), interpolation=cv2.INTER_AREA)
