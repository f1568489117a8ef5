"""Quick96: a DF autoencoder (`df-ud`) with one loss and one optimizer."""

from collections.abc import Mapping

import tensorflow as tf

from leras.precision import PRECISIONS
from leras.train_step import Objectives, StepControl, StepResult
from models.autoencoder_model import AutoencoderModel
from models.inputs import Inputs
from models.losses import (
    Target,
    blurred_mask,
    by_side,
    reconstruction_terms,
    ssim_windows,
    weighted,
)
from models.networks.architecture import Architecture, build_autoencoder
from models.quick96.options import Quick96Options
from models.side import Side
from models.training_parts import GENERATOR, slice_size
from samplelib.recipe import SampleOptions, SampleRecipe
from samplelib.sampler import Batch

ARCHITECTURE = Architecture("df", "ud")
OUTPUTS = ("warped", "target", "mask")
UNWARPED_EVERY = 3  # so that the encoder also meets faces as the merger will show them


class Quick96Model(AutoencoderModel):
    """See `models.base.SwapModel`."""

    options_type = Quick96Options
    preview_name = "Quick96"

    def __init__(self, options: Quick96Options):
        inputs = Inputs(OUTPUTS, options.resolution, slice_size(options))
        network = build_autoencoder(
            ARCHITECTURE, options.resolution, ae_ch=options.ae_dims, encoder_ch=options.e_dims,
            decoder_ch=options.d_dims, mask_ch=options.d_mask_dims,
            compute_dtype=PRECISIONS[options.precision].compute, recompute=options.recompute)
        self._terms = reconstruction_terms(ssim_windows(options.resolution, two_scales=False))
        super().__init__(options, network, inputs)

    def recipe(self, side: Side) -> SampleRecipe:
        flips = {Side.SRC: self.options.random_src_flip, Side.DST: self.options.random_dst_flip}
        return SampleRecipe(self.options.resolution, self.face_type, OUTPUTS,
                            SampleOptions(random_flip=flips[side]))

    def needs_new_batch(self, iteration: int) -> bool:
        return iteration % UNWARPED_EVERY != 0

    def train_step(self, iteration: int, batches: Mapping[Side, Batch],
                   control: StepControl = StepControl()) -> StepResult:
        """Every third iteration trains on the faces of the one before, unwarped."""
        if not self.needs_new_batch(iteration):
            batches = {side: {**batch, "warped": batch["target"]}
                       for side, batch in batches.items()}
        return super().train_step(iteration, batches, control)

    def objectives(self, samples: Mapping[Side, Mapping[str, tf.Tensor]]) -> Objectives:
        codes = self.network.codes(*(samples[side]["warped"] for side in Side))
        losses = {}
        for side, prediction in zip(Side, self.network.decode(*codes), strict=True):
            sample = samples[side]
            target = Target(sample["target"], sample["mask"], blurred_mask(sample["mask"]))
            losses[side] = weighted(self._terms, prediction, target)
        reported = by_side(losses)
        return Objectives({GENERATOR: reported["src"] + reported["dst"]}, reported)
