"""What a kind of model trains on: found before the model is built, free of TensorFlow."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from core.registry import Registry
from models.options import TrainingOptions
from samplelib.batch_stream import Batch
from samplelib.face_source import Problem
from samplelib.faceset import Faceset, load_faceset

if TYPE_CHECKING:
    from models.base import TrainedModel

_DATA = Registry("training data", {})


@dataclass(frozen=True)
class Folders:
    """Where a training may look, as the user said it."""

    src_dir: Path | None = None
    dst_dir: Path | None = None
    pretrain_dir: Path | None = None
    data_dir: Path | None = None


def _not_told(problem: Problem) -> None:
    """Leaves a problem out."""


@dataclass(frozen=True)
class Share:
    """What one process does of a training.

    Attributes:
        first_row, n_rows: The rows of each batch that it makes.
        positions: Source -> its first sample; sources that are not named begin at 0.
        on_problem: Told of each face that cannot be read, once.
    """

    first_row: int
    n_rows: int
    positions: Mapping[str, int] = field(default_factory=dict)
    on_problem: Callable[[Problem], None] = _not_told


class SampleSource(Protocol):
    """Endless batches; see `samplelib.batch_stream.BatchStream`.

    Attributes:
        position: First sample of the next batch; a run that goes on from here is given it.
    """

    @property
    def position(self) -> int: ...

    def next_batch(self) -> Batch:
        """Gives the next batch: this process's rows of it."""

    def close(self) -> None:
        """Ends its threads."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


class TrainingData(ABC):
    """The sources of samples of one training.

    A kind of model says by `TrainingOptions.data` which class this is.

    Attributes:
        names: Of the sources; `train_step` and `preview` of the model get a batch of each.
        folders: Names of `Folders` that the user is asked for.
    """

    names: ClassVar[tuple[str, ...]]
    folders: ClassVar[tuple[str, ...]]

    @classmethod
    def needed(cls, options: TrainingOptions) -> tuple[str, ...]:
        """Names of the folders that a training cannot do without."""
        return ("pretrain_dir",) if getattr(options, "pretrain", False) else cls.folders

    @classmethod
    @abstractmethod
    def load(cls, folders: Folders, options: TrainingOptions,
             warn: Callable[[str], None]) -> Self:
        """Finds what there is to train on.

        Args:
            folders: All of `needed` are given.
            options: Of the model.
            warn: Told a line about each file that is of no use.

        Raises:
            NoFacesFound: There is nothing.
        """

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """What the plan of a training tells: name -> number, such as of faces."""

    @abstractmethod
    def fingerprints(self) -> dict[str, str]:
        """Source -> what is the same on all machines that have the same files; see `fingerprint`.
        """

    @abstractmethod
    def sources(self, model: "TrainedModel", share: Share) -> dict[str, SampleSource]:
        """Endless samples of each name; closed."""

    @abstractmethod
    def preview_batches(self, model: "TrainedModel") -> dict[str, Batch]:
        """A few rows of each name for the previews, always the same.

        Raises:
            NoFacesFound: No file of a source can be read any more.
        """


def data_type(options: TrainingOptions | type[TrainingOptions]) -> type[TrainingData]:
    """What a kind of model, known by its options, trains on.

    Raises:
        OptionError: The options of one's own model lead nowhere.
    """
    return _DATA.load(options.data)


def fingerprint(paths: Sequence[Path], what: str = "faces") -> str:
    """The same for two lists of files with the same names: "12 faces 8a1f03bc"."""
    names = "\n".join(path.name for path in paths)
    return f"{len(paths)} {what} {zlib.crc32(names.encode()):08x}"


def load_reported(folder: Path, warn: Callable[[str], None]) -> Faceset:
    """A faceset; `warn` is told of the pictures that it leaves out.

    Raises:
        NoFacesFound: It is empty.
    """
    faceset = load_faceset(folder)
    for path, reason in faceset.skipped:
        warn(f"{path.name}: {reason}")
    return faceset


def stream_settings(share: Share, name: str, options: TrainingOptions,
                    model: "TrainedModel") -> dict[str, Any]:
    """What a `BatchStream` needs to know of the training that it belongs to."""
    return {"workers": options.sample_threads, "start_index": share.positions.get(name, 0),
            "on_problem": share.on_problem, "first_row": share.first_row,
            "n_rows": share.n_rows, "place": model.place}
