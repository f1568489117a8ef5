"""Writes `public/*.npz`: what public PyTorch implementations compute with our random weights.

Not run by the tests, which only read its files. Run it again when a network is added:

    python -m venv oracle
    oracle/bin/pip install torch==2.13.0 numpy==2.4.6 opencv-python==5.0.0.93 scikit-image==0.26.0 \
        face-alignment==1.5.0
    oracle/bin/pip install --no-deps facenet-pytorch==2.5.3
    oracle/bin/python -m tests.facelib.checkpoints.make_public

Both packages ask torchvision for two things. Its CPU build is not on PyPI, so both stand here.
"""

import json
import sys
import types
from pathlib import Path

import numpy as np
import torch

from tests.facelib.checkpoints.make_options import (
    MTCNN_MIN_SIZE,
    MTCNN_THRESHOLDS,
    RETINAFACE_THRESHOLD,
)
from tests.facelib.checkpoints.random_weights import random_picture, random_state

FOLDER = Path(__file__).with_name("public")


class IntermediateLayerGetter(torch.nn.ModuleDict):
    """Runs the named children in order and keeps the wanted outputs, as torchvision's does."""

    def __init__(self, model, return_layers):
        names = [name for name, _ in model.named_children()]
        last = max(names.index(name) for name in return_layers)
        super().__init__({name: getattr(model, name) for name in names[: last + 1]})
        self.return_layers = return_layers

    def forward(self, x):
        kept = {}
        for name, layer in self.items():
            x = layer(x)
            if name in self.return_layers:
                kept[self.return_layers[name]] = x
        return kept


def batched_nms(boxes, scores, groups, threshold):
    """torchvision's: greedy by score within each group, areas without "+1"."""
    kept = []
    for index in torch.argsort(scores, descending=True, stable=True).tolist():
        if all(groups[index] != groups[k] or overlap(boxes[index], boxes[k]) <= threshold
               for k in kept):
            kept.append(index)
    return torch.tensor(kept, dtype=torch.int64)


def overlap(a, b):
    inside = (torch.minimum(a[2:4], b[2:4]) - torch.maximum(a[:2], b[:2])).clamp(min=0).prod()
    areas = [(box[2:4] - box[:2]).prod() for box in (a, b)]
    return inside / (sum(areas) - inside)


def pretend_torchvision():
    modules = {name: types.ModuleType(name) for name in (
        "torchvision", "torchvision.models", "torchvision.models._utils", "torchvision.ops",
        "torchvision.ops.boxes", "torchvision.transforms")}
    modules["torchvision.models._utils"].IntermediateLayerGetter = IntermediateLayerGetter
    modules["torchvision.ops.boxes"].batched_nms = batched_nms
    modules["torchvision.transforms"].functional = None
    sys.modules.update(modules)
    for name, module in modules.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)


def filled(module, prefix=""):
    """The module with our random weights; returns their shapes too."""
    shapes = {prefix + name: list(value.shape) for name, value in module.state_dict().items()}
    state = {name.removeprefix(prefix): torch.from_numpy(np.array(array))
             for name, array in random_state(shapes).items()}
    module.load_state_dict(state)
    return module.eval(), shapes


def save(name, shapes, **arrays):
    np.savez_compressed(FOLDER / f"{name}.npz", shapes=np.array(json.dumps(shapes)), **arrays)
    print(name, {key: np.asarray(a).shape for key, a in arrays.items()})


def s3fd():
    from face_alignment.detection.sfd.net_s3fd import s3fd as Net
    from face_alignment.detection.sfd.sfd_detector import SFDDetector

    detector = SFDDetector.__new__(SFDDetector)
    detector.device, detector.filter_threshold, detector.verbose = "cpu", 0.5, False
    detector.face_detector, shapes = filled(Net())
    image = random_picture(128, 160)  # BGR
    rgb = np.ascontiguousarray(image[..., ::-1])
    pixels = torch.from_numpy(image.astype(np.float32) - np.float32([104, 117, 123]))
    with torch.no_grad():
        outputs = detector.face_detector(pixels.permute(2, 0, 1)[None])
    levels = {f"level{i}": np.concatenate([outputs[2 * i][0], outputs[2 * i + 1][0]])
              for i in range(6)}
    faces = np.stack(detector.detect_from_batch(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0])
    save("s3fd", shapes, faces=faces.astype(np.float32), **levels)


def fan():
    from face_alignment import FaceAlignment, LandmarksType
    from face_alignment.models import FAN
    from face_alignment.utils import get_preds_fromhm

    network, shapes = filled(FAN(4))
    image = random_picture(200, 240, 1)
    rgb = np.ascontiguousarray(image[..., ::-1])
    boxes = np.float32([(50, 40, 130, 150), (-30, 90, 70, 190), (150, 10, 260, 120)])
    aligner = FaceAlignment.__new__(FaceAlignment)
    aligner.device, aligner.dtype, aligner.verbose = "cpu", torch.float32, False
    aligner.landmarks_type, aligner.max_batch_size = LandmarksType.TWO_D, 1
    aligner.face_alignment_net = network
    aligner.face_detector = types.SimpleNamespace(reference_scale=195)
    points = {}
    for flip in (False, True):
        aligner.flip_input = flip
        points[f"points_flip{int(flip)}"] = np.float32(
            aligner.get_landmarks_from_image(rgb, boxes.tolist()))
    crop = random_picture(256, 256, 2)[..., ::-1] / np.float32(255)
    with torch.no_grad():
        maps = network(torch.from_numpy(crop.transpose(2, 0, 1).copy())[None])
    last = maps[-1].numpy()
    save("fan", shapes, boxes=boxes, first_maps=maps[0][0, ::17].numpy(), maps=last[0, ::9],
         grid_points=get_preds_fromhm(last)[0][0], **points)


def retinaface():
    from face_alignment.detection.retinaface.net_retinaface import RetinaFace
    from face_alignment.detection.retinaface.retinaface_detector import RetinaFaceDetector, cfg_mnet

    detector = RetinaFaceDetector.__new__(RetinaFaceDetector)
    detector.device, detector.verbose, detector.cfg = "cpu", False, cfg_mnet
    detector.variance = cfg_mnet["variance"]
    detector.confidence_threshold = RETINAFACE_THRESHOLD
    detector.nms_threshold = 0.4
    detector.face_detector, shapes = filled(RetinaFace())
    image = random_picture(102, 150, 3)
    pixels = torch.from_numpy(image.astype(np.float32) - np.float32([104, 117, 123]))
    with torch.no_grad():
        boxes, scores, points = detector.face_detector(pixels.permute(2, 0, 1)[None])
    faces = np.float32(detector.detect_from_image(image))
    save("retinaface", shapes, boxes=boxes[0].numpy(), scores=scores[0].numpy(),
         points=points[0].numpy(), faces=faces)


def mtcnn():
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
    from facenet_pytorch.models.utils.detect_face import detect_face, imresample

    networks, shapes, outputs = {}, {}, {}
    for name, kind, side in (("pnet", PNet, 40), ("rnet", RNet, 24), ("onet", ONet, 48)):
        networks[name], own = filled(kind(pretrained=False), f"{name}.")
        shapes |= own
        x = (random_picture(side, side + 2 if name == "pnet" else side, 4) - 127.5) / 128
        with torch.no_grad():
            results = networks[name](torch.from_numpy(x.astype(np.float32)).permute(2, 0, 1)[None])
        outputs |= {f"{name}_{i}": result[0].numpy() for i, result in enumerate(results)}
    picture = random_picture(90, 121, 5)
    for height, width in ((37, 50), (100, 150)):
        x = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
        small = imresample(x, (height, width))[0].permute(1, 2, 0).numpy()
        outputs[f"area_{height}_{width}"] = small
    rgb = torch.from_numpy(np.ascontiguousarray(picture[..., ::-1]))
    with torch.no_grad():
        boxes, points = detect_face(rgb, pnet=networks["pnet"], rnet=networks["rnet"],
                                    onet=networks["onet"], device="cpu", minsize=MTCNN_MIN_SIZE,
                                    threshold=MTCNN_THRESHOLDS, factor=0.709)
    save("mtcnn", shapes, faces=np.float32(boxes[0]), points=np.float32(points[0]), **outputs)


if __name__ == "__main__":
    pretend_torchvision()
    torch.manual_seed(0)
    for write in [globals()[name] for name in sys.argv[1:]] or (s3fd, fan, retinaface, mtcnn):
        write()
