"""200 hostile files: each is worked on or reported in one line, and the exit code is right."""

import cv2
import pytest

from core.imaging.io import read_image
from core.paths import image_paths
from samplelib.faceset import load_faceset
from tests.commands import ROOT, finish, run, start
from tests.mainscripts.extraction.hostile import BAD, GOOD, write_hostile_files

WITH_FACE = ("cmyk", "sixteen", "grey", "alpha", "exif", "really_", "to_good", "chain", "float",
             "restart", "trailing", "progressive", "animation")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """(folder, {name: verdict}, how extraction went)."""
    portrait = read_image(ROOT / "tests/data/astronaut_nasa_pd.png")[:220, 110:330]
    folder = tmp_path_factory.mktemp("hostile") / "frames"
    folder.mkdir()
    verdicts = write_hostile_files(folder, cv2.resize(portrait, (128, 128)))
    child = start("extract", "--input-dir", folder, "--output-dir", folder / "aligned")
    return folder, verdicts, finish(child, timeout=290)  # which also wants an empty stderr


def test_there_are_two_hundred(hostile):
    folder, verdicts, _ = hostile
    assert len(verdicts) == 200 == len(image_paths(folder))


def test_each_bad_file_is_reported_in_one_line_and_no_good_one_is(hostile):
    _, verdicts, outcome = hostile
    lines = [line for line in outcome.warnings() if ": left out" not in line]
    reported = {name for name in verdicts for line in lines
                if line.startswith(f"{name.replace(chr(10), '?')}: ")}
    assert len(lines) == len(reported) and not any("\n" in line for line in lines)
    assert {name for name, verdict in verdicts.items() if verdict == BAD} <= reported
    assert not {name for name, verdict in verdicts.items() if verdict == GOOD} & reported


def test_the_command_fails_with_the_number_of_bad_files(hostile):
    folder, _, outcome = hostile
    failed = outcome.event("extraction")["failed"]
    assert outcome.code == 1
    assert f"{len(failed)} of {outcome.event('extraction')['frames']} frames failed" in (
        outcome.error())
    assert str(folder) in outcome.error()


def test_portraits_of_all_kinds_gave_the_same_face(hostile):
    folder, verdicts, _ = hostile
    faces = {face.info.source_filename: face.info
             for face in load_faceset(folder / "aligned").faces}
    wanted = [name for name, verdict in verdicts.items()
              if verdict == GOOD and name.startswith(WITH_FACE)]
    assert len(wanted) > 60 and not set(wanted) - set(faces)
    usual = faces["exif1.jpg"].source_landmarks
    for name in wanted:
        moved = faces[name].source_landmarks - usual
        assert abs(moved).mean() < 3, name  # upright, and where it is


def test_every_name_made_a_file_that_knows_it(hostile):
    folder, verdicts, outcome = hostile
    faces = load_faceset(folder / "aligned")
    assert faces.skipped == ()
    sources = {face.info.source_filename for face in faces.faces}
    assert {name for name in verdicts if name.startswith(("n" * 100, "長", "лицо", "顔", "emoji"))
            } <= sources
    assert outcome.event("extraction")["faces"] == len(faces.faces)


def test_all_others_are_done(hostile):
    """A second run only looks again at what failed."""
    folder, _, outcome = hostile
    again = run("extract", "--input-dir", folder, "--output-dir", folder / "aligned")
    assert again.code == 1
    first, second = (one.event("extraction") for one in (outcome, again))
    assert second["done_now"] == len(first["failed"]) == len(second["failed"])
    assert second["faces"] == first["faces"]
