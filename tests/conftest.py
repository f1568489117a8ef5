"""What holds for all tests: keys of their own, and one small swap that they share."""

import gc
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.commands import run
from tests.e2e.short_clips import cut_clip

DEMO = Path(__file__).parents[1] / "demo"
N_FRAMES = 12
CLIP_SIZE = 480, 270

# Graphs are many small objects that live long; by default Python looks through them so often that
# it takes a twentieth of the whole time.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True, scope="session")
def facelab_data_dir(tmp_path_factory):
    """Signing keys and caches of the tests lie in folders of their own, one for the whole run."""
    folder = tmp_path_factory.getbasetemp() / "facelab_data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACELAB_CACHE_DIR", str(folder.with_name("facelab_cache")))
        patch.setenv("FACELAB_DATA_DIR", str(folder))
        yield folder


class Workspace(NamedTuple):
    """A folder laid out as `workspace init` does it, and the words of each step."""

    folder: Path

    def path(self, name):
        return self.folder / name

    def extract_words(self, side):
        data = self.folder / f"data_{side}"
        return "extract", "--input-dir", data, "--output-dir", data / "aligned"

    def train_words(self):
        return ("train", "--src-dir", self.folder / "data_src/aligned",
                "--dst-dir", self.folder / "data_dst/aligned",
                "--model-dir", self.folder / "model")

    def merge_words(self):
        data = self.folder / "data_dst"
        return ("merge", "--input-dir", data, "--aligned-dir", data / "aligned",
                "--output-dir", data / "merged", "--output-mask-dir", data / "merged_mask",
                "--model-dir", self.folder / "model")

    def snapshot(self, pattern="*"):
        """Name -> bytes of every file that matches, locks aside."""
        return {str(path.relative_to(self.folder)): path.read_bytes()
                for path in sorted(self.folder.rglob(pattern))
                if path.is_file() and path.name != "LOCK"}


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """{"src": 12 frames of a woman with sound, "dst": 12 frames of a man without}."""
    folder = tmp_path_factory.mktemp("clips")
    names = {"src": "src_woman.mp4", "dst": "dst_man.mp4"}
    return {side: cut_clip(DEMO / name, folder / f"data_{side}.mp4", N_FRAMES, *CLIP_SIZE)
            for side, name in names.items()}


@pytest.fixture(scope="session")
def framed(clips, tmp_path_factory):
    """A workspace with the frames of both clips; not to be changed."""
    made = Workspace(tmp_path_factory.mktemp("framed"))
    for side, clip in clips.items():
        assert run("videoed", "extract-video", "--input-file", clip,
                   "--output-dir", made.path(f"data_{side}")).code == 0
    return made


@pytest.fixture(scope="session")
def extracted(framed, tmp_path_factory):
    """The same with the aligned faces; not to be changed."""
    made = copy_workspace(framed, tmp_path_factory.mktemp("extracted") / "workspace")
    for side in ("src", "dst"):
        assert run(*made.extract_words(side)).code == 0
    return made


@pytest.fixture(scope="session")
def training(extracted, tmp_path_factory):
    """(the same with a model of 6 iterations, how its training went); not to be changed."""
    from tests.models.tiny import FLAGS

    made = copy_workspace(extracted, tmp_path_factory.mktemp("trained") / "workspace")
    outcome = run(*made.train_words(), *FLAGS, "--target-iteration", 6)
    assert outcome.code == 0
    return made, outcome


@pytest.fixture(scope="session")
def trained(training):
    """A workspace with frames, faces and a model; not to be changed."""
    return training[0]


@pytest.fixture
def frames_workspace(framed, tmp_path):
    """A workspace with frames, to be worked on."""
    return copy_workspace(framed, tmp_path / "workspace")


@pytest.fixture
def faces_workspace(extracted, tmp_path):
    """A workspace with frames and faces, to be worked on."""
    return copy_workspace(extracted, tmp_path / "workspace")


@pytest.fixture
def workspace(trained, tmp_path):
    """A workspace with frames, faces and a model, to be worked on."""
    return copy_workspace(trained, tmp_path / "workspace")


def copy_workspace(source, folder):
    """A copy of a workspace, to be worked on."""
    return Workspace(Path(shutil.copytree(source.folder, folder)))
