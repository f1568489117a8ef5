"""Event files as TensorBoard's own reader finds them."""

from tensorboard.backend.event_processing.event_accumulator import (
    IMAGES,
    SCALARS,
    EventAccumulator,
)


class Events:
    """What a folder of event files holds."""

    def __init__(self, folder):
        self._read = EventAccumulator(str(folder), {IMAGES: 0, SCALARS: 0}).Reload()  # 0: all

    def tags(self):
        tags = self._read.Tags()
        return tags["scalars"], tags["images"]

    def scalars(self, tag):
        """[(step, value)]"""
        return [(event.step, event.value) for event in self._read.Scalars(tag)]

    def times(self, tag):
        return [event.wall_time for event in self._read.Scalars(tag)]

    def images(self, tag):
        return self._read.Images(tag)
