"""Makes a faceset of people who do not exist out of a few aligned faces, to pretrain on.

    python -m demo.starter.faces --input-dir aligned --output-dir mixed --n-faces 2000

Each new face has the texture of one or two of the given faces, the shape (and so the pose and
expression) of others, and light and colours of its own. The result is a faceset like any other:
train on it by `main.py train --src-dir mixed --dst-dir mixed`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from core.imaging.color import reinhard
from facelib.masks import hull_mask
from samplelib.face_image import read_face, write_face
from samplelib.face_info import FaceInfo
from samplelib.faceset import load_faceset

SIDE = 160
GRID = 33  # nodes per axis at which a warp is computed; between them it is interpolated
GREY = 6.0  # mean chroma in Lab below which a picture counts as grey
ALIKE = 0.9  # correlation of thumbnails from which two faces count as one
REACH = 0.07  # of SIDE: mean distance of landmarks up to which one face takes another's shape


@dataclass(frozen=True, eq=False)
class Material:
    """A given face: `image` (SIDE, SIDE, 3) float32 BGR in [0, 1], `landmarks` (68, 2) in it."""

    image: np.ndarray
    landmarks: np.ndarray
    info: FaceInfo


def load_materials(folder: Path) -> list[Material]:
    """Reads all aligned faces of a folder, brought to SIDE."""
    materials = []
    for index in range(len(faces := load_faceset(folder).faces)):
        image, info = read_face(faces[index].path)
        scale = SIDE / image.shape[0]
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        materials.append(Material(small.astype(np.float32) / 255, info.landmarks * scale, info))
    return materials


def rarity(materials: Sequence[Material]) -> np.ndarray:
    """(N,) probabilities of drawing each face: frames of one shot share the chance of one face."""
    thumbs = np.stack([cv2.resize(face.image.mean(-1), (16, 16)).reshape(-1)
                       for face in materials])
    n_alike = (np.corrcoef(thumbs) > ALIKE).sum(1).astype(float)
    return n_alike**-0.75 / (n_alike**-0.75).sum()


def near(materials: Sequence[Material], face: Material) -> list[Material]:
    """Those whose pose is near enough that the face's texture can take their shape."""
    distances = [np.linalg.norm(other.landmarks - face.landmarks, axis=1).mean()
                 for other in materials]
    return [other for other, distance in zip(materials, distances) if distance < REACH * SIDE]


def mixed_face(materials: Sequence[Material], chances: np.ndarray,
               rng: np.random.Generator) -> Material:
    """One new face."""
    first = materials[rng.choice(len(materials), p=chances)]
    others = near(materials, first)
    second, *shapes = (others[index] for index in rng.integers(len(others), size=3))
    weights = rng.dirichlet((1.0, 1.0, 0.7))
    landmarks = sum(weight * face.landmarks
                    for weight, face in zip(weights, (first, *shapes), strict=True))
    image = warped_to(first, landmarks)
    if rng.random() < 0.6:
        other = reinhard(warped_to(second, landmarks), image)
        hull = hull_mask((SIDE, SIDE), landmarks, 1.0)
        soft = cv2.GaussianBlur(hull, (0, 0), SIDE / 24)[..., None] * rng.uniform(0.3, 1.0)
        image = image * (1 - soft) + other * soft
    donor = materials[rng.choice(len(materials), p=chances)].image
    if is_grey(image) and not is_grey(donor):
        image = reinhard(image, donor)
    return Material(relit(image, rng), landmarks, first.info)


def warped_to(face: Material, landmarks: np.ndarray) -> np.ndarray:
    """The face's picture with its landmarks moved; thin-plate splines between them.

    Returns:
        (SIDE, SIDE, 3) float32 BGR.
    """
    edge = np.linspace(0, SIDE - 1, 5)
    frame = np.array([(x, y) for x in edge for y in edge
                      if x in (0, SIDE - 1) or y in (0, SIDE - 1)])
    spline = RBFInterpolator(np.concatenate([landmarks, frame]),
                             np.concatenate([face.landmarks, frame]),
                             kernel="thin_plate_spline", smoothing=1.0)
    nodes = np.linspace(0, SIDE - 1, GRID)
    places = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)
    grid = spline(places).reshape(GRID, GRID, 2).astype(np.float32)
    steps = np.arange(SIDE, dtype=np.float32) * ((GRID - 1) / (SIDE - 1))
    xs, ys = np.meshgrid(steps, steps)
    dense = cv2.remap(grid, xs, ys, cv2.INTER_LINEAR)
    return cv2.remap(face.image, dense[..., 0], dense[..., 1], cv2.INTER_CUBIC,
                     borderMode=cv2.BORDER_REPLICATE)


def is_grey(image: np.ndarray) -> bool:
    """Whether a (H, W, 3) float32 BGR picture has next to no colour."""
    lab = cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_BGR2LAB)
    return float(np.abs(lab[..., 1:]).mean()) < GREY


def relit(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other light: gamma, gain of each channel, saturation, a slope of brightness, some blur."""
    image = np.clip(image, 0, 1) ** rng.uniform(0.75, 1.3) * rng.uniform(0.93, 1.07, 3)
    grey = image.mean(-1, keepdims=True)
    image = grey + (image - grey) * rng.uniform(0.5, 1.2)
    steps = np.linspace(-1, 1, SIDE)
    slope_x, slope_y = rng.normal(0, 0.15, 2)
    image = image * (1 + slope_x * steps[None, :, None] + slope_y * steps[:, None, None])
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5))
    return np.clip(image, 0, 1).astype(np.float32)


def main(words: Sequence[str] | None = None) -> None:
    """Writes the faceset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input-dir", type=Path, required=True, help="aligned faces")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--n-faces", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    materials = load_materials(arguments.input_dir)
    chances = rarity(materials)
    arguments.output_dir.mkdir(parents=True, exist_ok=True)
    for index in range(arguments.n_faces):
        face = mixed_face(materials, chances, np.random.default_rng((arguments.seed, index)))
        info = replace(face.info, landmarks=face.landmarks, source_filename=None,
                       source_rect=None, source_landmarks=None, image_to_face_mat=None,
                       source_size=None, frame_index=index, pose=None)
        write_face(arguments.output_dir / f"{index:05d}.jpg", np.rint(face.image * 255).astype(
            np.uint8), info)


if __name__ == "__main__":
    main()
