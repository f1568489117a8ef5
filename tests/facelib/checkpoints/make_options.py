"""Settings with which the public detectors ran."""

MTCNN_MIN_SIZE = 30
MTCNN_THRESHOLDS = (0.3, 0.3, 0.3)
RETINAFACE_THRESHOLD = 0.3
