"""The errors a user may see. Each message says what happened and what to do next."""

import errno

# EDQUOT: the user's quota; EFBIG: the file system's or the shell's limit for one file.
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


class FaceLabError(Exception):
    """Base of all expected failures; `main` turns it into one line and the exit code."""

    exit_code = 1


class UsageError(FaceLabError):
    """The command line is wrong."""

    exit_code = 2


class OptionError(UsageError):
    """An option has an unknown name or a value outside its domain."""


class ImageError(FaceLabError):
    """A picture cannot be read or written."""


class CorruptFaceImage(ImageError):
    """An aligned face carries no readable face data."""


class VideoError(FaceLabError):
    """A video cannot be opened, decoded or written."""


class NoImagesFound(FaceLabError):
    """A folder that should hold images holds none."""


class NoFacesFound(FaceLabError):
    """A step that needs faces found none."""


class ModelNotFound(FaceLabError):
    """No saved model of that name."""


class CheckpointError(FaceLabError):
    """A saved model exists and none of its generations can be read."""


class TrainingDiverged(FaceLabError):
    """A loss is no longer a number."""


class FramesFailed(FaceLabError):
    """Some frames could not be worked on; all others are done."""


class WeightsMissing(FaceLabError):
    """A network's weight file is not installed."""


class FolderInUse(FaceLabError):
    """Another process is writing into the same folder."""


class DeviceError(FaceLabError):
    """The requested device does not exist or cannot be used."""


class WorkerLost(FaceLabError):
    """Another process of the same training died or stopped answering."""


class DiskFull(FaceLabError):
    """There is not enough free space for what is about to be written."""


class ProvenanceError(FaceLabError):
    """A provenance manifest cannot be written or does not match its file."""


def is_disk_full(error: BaseException) -> bool:
    """Whether an error says that there is no room left, in our words or in the system's."""
    return isinstance(error, DiskFull) or getattr(error, "errno", None) in _NO_ROOM
