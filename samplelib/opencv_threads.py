"""Keeps OpenCV from starting threads of its own while our pools keep the cores busy."""

import threading

import cv2


class OpenCvThreadLimit:
    """Counts the pools at work; OpenCV is single-threaded while there is one.

    OpenCV's setting is one per process, so pools that overlap must share one counter.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._n_pools = 0
        self._n_threads_before = 0

    def acquire(self) -> None:
        """A pool starts."""
        with self._lock:
            if self._n_pools == 0:
                self._n_threads_before = cv2.getNumThreads()
                cv2.setNumThreads(1)
            self._n_pools += 1

    def release(self) -> None:
        """A pool has ended; the last one gives OpenCV its threads back."""
        with self._lock:
            self._n_pools -= 1
            if self._n_pools == 0:
                cv2.setNumThreads(self._n_threads_before)


OPENCV_THREADS = OpenCvThreadLimit()
