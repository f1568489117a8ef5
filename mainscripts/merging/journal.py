"""What is merged already, and with what: so that a merge goes on after any interruption."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from core.frames import Frame
from core.journal import Journal
from core.paths import relative
from mainscripts.merging.compositor import PatchWriter
from mainscripts.merging.dst_faces import FacesByStem, fingerprint
from mainscripts.merging.frame_settings import FrameSettings, differences
from mainscripts.merging.model import MergeModel, helpers_for
from mainscripts.merging.options import MergeFiles
from mainscripts.merging.steady import with_a_say
from mainscripts.merging.stored import uses_stored_masks
from mainscripts.merging.write import Output
from merger.networks import needed_networks
from merger.options import MergeOptions

JOURNAL = "merge.jsonl"


def header_of(files: MergeFiles, base: MergeOptions, model: MergeModel, output: Output
              ) -> dict[str, Any]:
    """What makes the results of two merges belong together, options of single frames aside."""
    helpers = {name: model.helpers[name] for name in helpers_for(needed_networks(base))}
    return {"job": "merge", "input_dir": relative(files.input_dir, output.folder),
            "model": model.name, "generation": model.generation, **helpers, **asdict(base)}


class MergeJournal:
    """The journal of a merge, open; a context manager.

    Attributes:
        helpers: Where networks beside the swap come from, by name; more may be added.
    """

    def __init__(self, files: MergeFiles, settings: FrameSettings, model: MergeModel,
                 frames: Sequence[Frame], faces: FacesByStem, output: Output,
                 patches: PatchWriter | None = None):
        """Opens or begins it in the output folder.

        Raises:
            FolderInUse: Another process works on the folder.
            UsageError: The folder holds frames merged otherwise.
        """
        self.helpers = dict(model.helpers)
        self._faces, self._settings = faces, settings
        self._outputs = [output, *[patches] * (patches is not None)]
        self._frames = {frame.index: frame for frame in frames}
        header = header_of(files, settings.base, model, output)
        wanted = {frame.stem for frame in frames}

        def remove_others(done: Mapping[str, Any]) -> None:
            for number, name in enumerate(done):  # the rest stays until it is replaced
                frame = Frame(number, name)
                if frame.stem not in wanted:
                    output.remove(frame)

        self._journal = Journal(output.folder / JOURNAL, header, replace=files.overwrite,
                                discard=remove_others)

    def __enter__(self) -> "MergeJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def is_done(self, frame: Frame) -> bool:
        """Whether a frame and its mask are there, made with the faces and options it has now."""
        return self.made_with(frame) == self._settings.of(frame)

    def made_with(self, frame: Frame) -> MergeOptions | None:
        """The options with which a frame was made; None if it is not there or its faces differ."""
        noted = self._journal.done.get(frame.name, {})
        options = replace(self._settings.base, **noted.get("options", {}))
        is_same = (noted.get("landmarks") == self._fingerprint(frame, options)
                   and noted.get("helpers", {}) == self._helpers_of(options))
        is_there = all(output.is_there(frame) for output in self._outputs)
        return options if is_same and is_there else None

    def add(self, frame: Frame, n_faces: int, options: MergeOptions | None = None) -> None:
        """Notes that a frame is done; with other options than the settings say, if given."""
        options = options or self._settings.of(frame)
        own = {"options": differences(self._settings.base, options),
               "helpers": self._helpers_of(options)}
        self._journal.add(frame.name, faces=n_faces, landmarks=self._fingerprint(frame, options),
                          **{name: noted for name, noted in own.items() if noted})

    def forget(self, frame: Frame) -> None:
        """Notes that a frame is about to be replaced, so that what is there counts no more."""
        if frame.name in self._journal.done:
            self._journal.add(frame.name, faces=0, landmarks=None)

    def n_merged(self, frames: Iterable[Frame]) -> int:
        """How many of the frames have a new face."""
        return sum(self._journal.done.get(frame.name, {"faces": 0})["faces"] > 0
                   for frame in frames)

    def _helpers_of(self, options: MergeOptions) -> dict[str, str | None]:
        """Networks that a frame needs and the header knows nothing of."""
        of_all = helpers_for(needed_networks(self._settings.base))
        return {name: self.helpers.get(name) for name in helpers_for(needed_networks(options))
                if name not in of_all}

    def _fingerprint(self, frame: Frame, options: MergeOptions) -> int:
        """Of its faces, and of those around them that have a say in their colours."""
        with_masks = uses_stored_masks(options)
        own = fingerprint(self._faces.get(frame.stem, ()), with_masks=with_masks,
                          with_motion=options.motion_blur_power > 0)
        others = with_a_say(frame, self._faces, options) - {frame.index}
        if not others:
            return own
        told = [own, *(fingerprint(self._faces.get(self._frames[index].stem, ()),
                                   with_masks=with_masks, with_motion=False)
                       for index in sorted(others))]
        return zlib.crc32(repr(told).encode())
