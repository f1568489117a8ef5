"""AMP: a swap that morphs from dst to src."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from core.errors import OptionError
from facelib.types import Predictor
from leras.ops.statistics import total_variation
from leras.precision import PRECISIONS
from leras.replicas import first_replica, n_replicas, replicas_here
from leras.train_step import Objectives
from models import losses
from models.adversaries import GAN, Contest, build_gan, hold_contests, patch_size
from models.amp.options import AMPOptions
from models.amp.preview import MORPHS, morph_previews
from models.autoencoder_model import AutoencoderModel
from models.inputs import Inputs
from models.losses import Target
from models.networks.amp import AMPAutoencoder, first_channels, mix_channels, random_channels
from models.networks.autoencoder import Decoded, split_decoded
from models.options import effective
from models.predictor import CompiledPredictor
from models.preview import PreviewRow
from models.samples import input_name, output_names, sample_recipe
from models.side import Side
from models.training_parts import GENERATOR, slice_size
from samplelib.recipe import SampleRecipe
from samplelib.sampler import Batch

RESOLUTION_STEP = 32
SMOOTHNESS, DST_OUTSIDE, SRC_OUTSIDE = 1e-6, 0.1, 0.02  # weights of what lies around the faces
JUDGE_SHARE = 0.25  # makes the discriminator's loss the mean of its cross entropies on both sides


class AMPModel(AutoencoderModel):
    """See `models.base.SwapModel`. Each face of src takes a random share of its code's channels
    from the inter of src and the others from that of dst, so that every mixture gives a face."""

    options_type = AMPOptions
    preview_name = "AMP"

    def __init__(self, options: AMPOptions):
        self._used = used = effective(options)
        _require_resolution(used.resolution)
        patch = patch_size(used, used.resolution) if used.gan_power > 0 else 0
        size = slice_size(used)
        dtype = PRECISIONS[used.precision].compute
        self._rows = _rows_of_this_process(used.batch_size)
        self._terms = losses.reconstruction_terms(
            losses.ssim_windows(used.resolution, two_scales=True, compat=used.ssim_compat),
            eyes_mouth=True)
        network = AMPAutoencoder(
            used.resolution, ae_ch=used.ae_dims, inter_ch=used.inter_dims, encoder_ch=used.e_dims,
            decoder_ch=used.d_dims, mask_ch=used.d_mask_dims, compute_dtype=dtype,
            recompute=used.recompute)
        super().__init__(
            options, network, Inputs(output_names(used, eyes_mouth=True), used.resolution, size),
            adversaries={GAN: build_gan(used, patch, dtype)} if used.gan_power > 0 else {},
            extra=[tf.TensorSpec((size, used.inter_dims), tf.uint8)])

    def recipe(self, side: Side) -> SampleRecipe:
        return sample_recipe(self._used, side, self.face_type, self._inputs.names)

    def extra_arrays(self, iteration: int) -> list[np.ndarray]:
        """Which channels each src face takes from inter_src: (n, inter_dims) of 0 and 1.

        Drawn for the whole batch, so that it does not matter how many processes share it.
        """
        rng = np.random.default_rng((self._used.seed, iteration))
        chosen = random_channels(rng, self._used.batch_size, self._used.inter_dims,
                                 self._used.morph_factor)
        return [chosen[self._rows].astype(np.uint8)]

    def objectives(self, samples: Mapping[Side, Mapping[str, tf.Tensor]],
                   channels: tf.Tensor) -> Objectives:
        used = self._used
        targets = {side: losses.make_target(sample, blur_outside=used.blur_out_mask, masked=True)
                   for side, sample in samples.items()}
        codes = self.network.codes(*(samples[side][input_name(used)] for side in Side),
                                   tf.cast(channels, tf.float32))
        predictions = dict(zip(Side, self.network.decode(*codes), strict=True))
        reported = losses.by_side({
            side: losses.weighted(self._terms, predictions[side], targets[side])
            for side in Side})
        totals, of_adversaries = hold_contests(
            self.adversaries, {GAN: self._contest(predictions, targets)})
        background = self._background(predictions, targets)
        asked = [reported["src"], reported["dst"], background, totals.pop(GENERATOR, 0.0)]
        return Objectives({GENERATOR: sum(asked), **totals},
                          {**reported, "background": background, **of_adversaries})

    def preview(self, batches: Mapping[Side, Batch]) -> dict[str, list[PreviewRow]]:
        faces = (batches[side]["target"] / np.float32(255) for side in Side)
        src, dst, *swaps = (Decoded(*found) for found in self._reconstruct(*faces))
        return morph_previews(batches, src, dst, swaps)

    def _contest(self, predictions: Mapping[Side, Decoded],
                 targets: Mapping[Side, Target]) -> Contest:
        pairs = [tuple(losses.inside(face, targets[side])
                       for face in (targets[side].face, predictions[side].face))
                 for side in Side]
        return Contest(self._used.gan_power, pairs, JUDGE_SHARE)

    def _background(self, predictions: Mapping[Side, Decoded],
                    targets: Mapping[Side, Target]) -> tf.Tensor:
        """What holds the picture around the faces, weighted; (N,)."""
        prediction, target = predictions[Side.DST], targets[Side.DST]
        around = total_variation(prediction.face * (1 - target.soft_mask))
        loss = DST_OUTSIDE * losses.outside_error(prediction, target) + SMOOTHNESS * around
        if GAN in self.adversaries:
            prediction, target = predictions[Side.SRC], targets[Side.SRC]
            loss += (SRC_OUTSIDE * losses.outside_error(prediction, target)
                     + SMOOTHNESS * total_variation(prediction.face))
        return loss

    def _reconstructions(self, src: tf.Tensor, dst: tf.Tensor) -> tuple[Decoded, ...]:
        """Faces and masks of src, dst, and of the swap at each of `MORPHS`."""
        network = self.network
        src_encoded, dst_encoded = tf.split(network.encode(tf.concat([src, dst], 0)), 2)
        own = first_channels(network.inter_ch, self._used.morph_factor)
        src_code, dst_code = network.codes_from(src_encoded, dst_encoded, own)
        of_src = network.inter_src(dst_encoded)
        swaps = [mix_channels(of_src, dst_code, first_channels(network.inter_ch, value))
                 for value in MORPHS]
        decoded = network.decoder(tf.concat([src_code, dst_code, *swaps], 0))
        return split_decoded(*decoded, 2 + len(swaps))

    def _build_predictor(self) -> Predictor:
        """The full swap; `at(value)` gives one that morphs less."""
        network = self.network
        return CompiledPredictor(
            self.options.resolution, self.face_type, network.swap_codes,
            {"face": lambda codes: network.decoder.face(codes.swap),
             "face_mask": lambda codes: network.decoder.mask(codes.swap),
             "dst_mask": lambda codes: network.decoder.mask(codes.dst)}, values=(1.0,))


def _require_resolution(resolution: int) -> None:
    if resolution % RESOLUTION_STEP or resolution <= 0:
        nearest = max(RESOLUTION_STEP, resolution // RESOLUTION_STEP * RESOLUTION_STEP)
        raise OptionError(f"AMP cannot have a resolution of {resolution}; use a multiple of "
                          f"{RESOLUTION_STEP}, such as {nearest}")


def _rows_of_this_process(batch_size: int) -> slice:
    """Which samples of the whole batch the devices of this process train on."""
    strategy = tf.distribute.get_strategy()
    share = batch_size // n_replicas(strategy)
    first = first_replica(strategy) * share
    return slice(first, first + replicas_here(strategy) * share)
