"""What a faceset takes in memory does not depend on how many faces it has."""

import gc
import os
import tracemalloc

import pytest

from facelib.face_type import FaceType
from samplelib.faceset import load_faceset
from samplelib.sampler import BatchGenerator, SampleOptions, SampleRecipe

RECIPE = SampleRecipe(32, FaceType.FULL, options=SampleOptions(color_transfer="mkl"))
CACHE_BYTES = 40 * 40 * 4 * 20  # twenty faces


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACELAB_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("samplelib.faceset_index.STORED_FROM", 1)
        yield


@pytest.fixture
def linked(make_faceset, tmp_path):
    """Function: a folder of n faces, links to a few real ones."""
    faces = [face.path for face in make_faceset(5, size=48).faces]

    def make(n_faces: int):
        folder = tmp_path / str(n_faces)
        folder.mkdir()
        for number in range(n_faces):
            os.link(faces[number % len(faces)], folder / f"{number:05d}_0.jpg")
        for path in faces:
            os.utime(path, (10**9, 10**9))
        return folder
    return make


def held_bytes(folder) -> int:
    """Bytes that a loaded faceset and its generator hold after some batches."""
    with BatchGenerator(load_faceset(folder), RECIPE, 4, seed=1, cache_bytes=0,
                        transfer_from=load_faceset(folder), uniform_yaw=True) as warm_up:
        warm_up.next_batch()
    del warm_up
    gc.collect()
    tracemalloc.start()
    try:
        faceset = load_faceset(folder)
        with BatchGenerator(faceset, RECIPE, 4, seed=1, cache_bytes=CACHE_BYTES,
                            transfer_from=faceset) as batches:
            for _ in range(12):
                batches.next_batch()
        gc.collect()  # the threads have ended: no batch in the making is counted
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_ten_times_the_faces_take_no_more_memory(linked, cache_folder):
    few, many = (held_bytes(linked(n_faces)) for n_faces in (200, 2000))
    assert few > CACHE_BYTES  # so the decoded faces are counted
    assert many - few < 20 * 1800  # bytes for each further face; decoded, one has 6400


def test_decoded_faces_keep_to_their_limit(linked, cache_folder):
    assert held_bytes(linked(400)) < 6 * CACHE_BYTES
