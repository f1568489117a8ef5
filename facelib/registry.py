"""Detectors, landmark extractors, embedders, segmenters and enhancers to choose by name."""

from core.registry import Registry

DETECTORS = Registry(
    "face detector",
    {
        "yunet": "facelib.networks.yunet_detector:YuNetDetector.load",
        "s3fd": "facelib.networks.s3fd_detector:S3FDDetector.load",
        "retinaface": "facelib.networks.retinaface_detector:RetinaFaceDetector.load",
        "mtcnn": "facelib.networks.mtcnn_detector:MTCNNDetector.load",
    },
)
LANDMARKERS = Registry(
    "landmark extractor",
    {
        "facemesh": "facelib.networks.facemesh_landmarks:FaceMeshLandmarks.load",
        "2dfan": "facelib.networks.fan_landmarks:FANLandmarks.load_2d",
        "3dfan": "facelib.networks.fan_landmarks:FANLandmarks.load_3d",
    },
)
EMBEDDERS = Registry(
    "face embedder", {"appearance": "facelib.appearance:AppearanceEmbedder"}
)
SEGMENTERS = Registry(
    "face segmenter",
    {
        "xseg": "facelib.networks.xseg_segmenter:XSegSegmenter.load",
        "ternausnet": "facelib.networks.ternausnet_segmenter:TernausNetSegmenter.load",
    },
)
ENHANCERS = Registry(
    "face enhancer", {"faceenhancer": "facelib.networks.enhancer:PatchEnhancer.load"}
)
