"""Videos of 10 bits: to images of 16 and back."""

import cv2
import numpy as np

from core.paths import image_paths
from core.video import probe, read_frames
from tests.commands import run
from tests.core.test_video_read import write_ramp
from tests.core.video_maker import make_video


def test_ten_bits_survive_the_way_through_images(tmp_path):
    video = write_ramp(tmp_path / "film.mp4")
    frames, result = tmp_path / "frames", tmp_path / "result.mp4"
    assert run("videoed", "extract-video", "--input-file", video, "--output-dir", frames).code == 0
    (image,) = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in image_paths(frames)]
    assert image.dtype == np.uint16
    assert np.array_equal(image, next(read_frames(video, deep=True)).image)
    assert run("videoed", "video-from-sequence", "--input-dir", frames, "--output-file", result,
               "--reference-file", video, "--crf", 0, "--preset", "ultrafast").code == 0
    assert probe(result).pixel_format == "yuv420p10le"
    back = next(read_frames(result, deep=True)).image
    assert np.abs(back.astype(int) - image).max() < 2 * 65535 / 876
    again = run("videoed", "extract-video", "--input-file", video, "--output-dir", frames)
    assert again.event("frames_extracted")["n_written"] == 0


def test_eight_bits_can_be_asked_for(tmp_path):
    video = write_ramp(tmp_path / "film.mp4")
    frames, result = tmp_path / "frames", tmp_path / "result.mp4"
    words = ("videoed", "extract-video", "--input-file", video, "--output-dir", frames)
    assert run(*words, "--no-deep").code == 0
    (path,) = image_paths(frames)
    assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).dtype == np.uint8
    other = run(*words)
    assert other.code == 2 and "deep None instead of True" in other.error()
    run("videoed", "extract-video", "--input-file", video, "--output-dir", tmp_path / "deep")
    assert run("videoed", "video-from-sequence", "--input-dir", tmp_path / "deep", "--no-deep",
               "--output-file", result, "--fps", 25).code == 0
    assert probe(result).pixel_format == "yuv420p"


def test_an_image_of_8_bits_among_deep_ones_is_shown_as_bright(tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    cv2.imwrite(str(frames / "1.png"), np.full((48, 64, 3), 40000, np.uint16))
    cv2.imwrite(str(frames / "2.png"), np.full((48, 64, 3), 100, np.uint8))
    result = tmp_path / "result.mp4"
    assert run("videoed", "video-from-sequence", "--input-dir", frames, "--output-file", result,
               "--fps", 25, "--crf", 0).code == 0
    first, second = (frame.image for frame in read_frames(result, deep=True))
    assert np.abs(first.astype(int) - 40000).max() < 150
    assert np.abs(second.astype(int) - 100 * 257).max() < 150


def test_videos_of_8_bits_give_images_of_8_bits(tmp_path):
    video = make_video(tmp_path / "film.mp4", 3)
    assert run("videoed", "extract-video", "--input-file", video,
               "--output-dir", tmp_path / "frames").code == 0
    for path in image_paths(tmp_path / "frames"):
        assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).dtype == np.uint8
