"""The detectors and landmark extractors a user can choose by name."""

from core.registry import Registry

DETECTORS = Registry(
    "face detector", {"yunet": "facelib.networks.yunet_detector:YuNetDetector.load"}
)
LANDMARKERS = Registry(
    "landmark extractor",
    {"facemesh": "facelib.networks.facemesh_landmarks:FaceMeshLandmarks.load"},
)
