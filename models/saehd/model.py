"""SAEHD: every architecture, and every tool to finish a face with."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from leras.ops.statistics import total_variation
from leras.precision import PRECISIONS
from leras.train_step import Objectives
from models import losses
from models.adversaries import (
    CODE_DISCRIMINATOR,
    GAN,
    Contest,
    build_gan,
    hold_contests,
    patch_size,
)
from models.autoencoder_model import AutoencoderModel
from models.inputs import Inputs
from models.losses import Target
from models.networks.architecture import build_autoencoder, parse_architecture
from models.networks.autoencoder import Autoencoder, Codes, Decoded
from models.networks.code_discriminator import CodeDiscriminator
from models.networks.discriminators.base import Discriminator
from models.options import effective
from models.saehd.options import SAEHDOptions
from models.samples import input_name, output_names, sample_recipe
from models.side import Side
from models.training_parts import GENERATOR, slice_size
from samplelib.recipe import SampleRecipe

FACE_STYLE, BACKGROUND_STYLE = 100.0, 0.1  # weights of the styles at a power of 1
SMOOTHNESS, OUTSIDE = 1e-6, 0.02  # weights of what keeps a GAN from playing around the face


class SAEHDModel(AutoencoderModel):
    """See `models.base.SwapModel`."""

    options_type = SAEHDOptions
    preview_name = "SAEHD"

    def __init__(self, options: SAEHDOptions):
        self._used = used = effective(options)
        architecture = parse_architecture(used.archi)
        patch = patch_size(used, used.resolution) if used.gan_power > 0 else 0
        names = output_names(used, eyes_mouth=used.eyes_mouth_prio)
        inputs = Inputs(names, used.resolution, slice_size(used))
        network = build_autoencoder(
            architecture, used.resolution, ae_ch=used.ae_dims, encoder_ch=used.e_dims,
            decoder_ch=used.d_dims, mask_ch=used.d_mask_dims,
            compute_dtype=PRECISIONS[used.precision].compute, recompute=used.recompute)
        self._windows = losses.ssim_windows(
            used.resolution, two_scales=used.resolution >= losses.TWO_SCALES_FROM,
            compat=used.ssim_compat)
        self._terms = losses.reconstruction_terms(self._windows, eyes_mouth=used.eyes_mouth_prio)
        super().__init__(options, network, inputs, frozen=_frozen(options, network),
                         adversaries=_adversaries(used, network, patch))

    def recipe(self, side: Side) -> SampleRecipe:
        return sample_recipe(self._used, side, self.face_type, self._inputs.names)

    def objectives(self, samples: Mapping[Side, Mapping[str, tf.Tensor]]) -> Objectives:
        used = self._used
        targets = {side: losses.make_target(sample, blur_outside=used.blur_out_mask,
                                            masked=used.masked_training)
                   for side, sample in samples.items()}
        codes = self.network.all_codes(*(samples[side][input_name(used)] for side in Side))
        src, dst, swap = self._decode(codes)
        predictions = {Side.SRC: src, Side.DST: dst}
        terms = {side: losses.weighted(self._terms, predictions[side], targets[side])
                 for side in Side}
        terms[Side.SRC] |= self._styles(codes, swap, dst, targets[Side.DST].face)
        reported = losses.by_side(terms)
        totals, of_adversaries = hold_contests(
            self.adversaries, self._contests(codes, src, targets[Side.SRC]))
        asked = [reported["src"], reported["dst"], totals.pop(GENERATOR, 0.0)]
        if GAN in self.adversaries and used.masked_training:
            background = (SMOOTHNESS * total_variation(src.face)
                          + OUTSIDE * losses.outside_error(src, targets[Side.SRC]))
            asked.append(background)
            of_adversaries["gan background"] = background
        return Objectives({GENERATOR: sum(asked), **totals}, reported | of_adversaries)

    def _decode(self, codes: Codes) -> tuple[Decoded, Decoded, Decoded | None]:
        """Src, dst, and the swap if a style needs it. Only the background's teaches the code."""
        used = self._used
        if used.bg_style_power > 0:
            return self.network.decode_all(codes)
        if used.face_style_power > 0:
            return self.network.decode_all(codes._replace(swap=tf.stop_gradient(codes.swap)))
        return *self.network.decode(codes.src, codes.dst), None

    def _styles(self, codes: Codes, swap: Decoded | None, dst: Decoded,
                dst_face: tf.Tensor) -> dict[str, tf.Tensor]:
        """The style terms by name, weighted, (N,) each."""
        used, terms = self._used, {}
        if used.face_style_power > 0:
            styled = swap
            if used.bg_style_power > 0:
                # The style of the face is for the decoder alone.
                code = tf.stop_gradient(codes.swap)
                styled = Decoded(self.network.decoder_src.face(code), swap.mask)
            terms["face style"] = (FACE_STYLE * used.face_style_power
                                   * losses.face_style(styled, dst))
        if used.bg_style_power > 0:
            terms["background style"] = (
                BACKGROUND_STYLE * used.bg_style_power
                * losses.background_style(swap, dst, dst_face, self._windows))
        return terms

    def _contests(self, codes: Codes, src: Decoded, target: Target) -> dict[str, Contest]:
        """Faces of src are judged as they count; codes of dst are the real ones."""
        faces = losses.inside(target.face, target), losses.inside(src.face, target)
        return {GAN: Contest(self._used.gan_power, [faces]),
                CODE_DISCRIMINATOR: Contest(self._used.true_face_power,
                                            [(codes.true_face_dst, codes.true_face_src)])}


def _adversaries(used: SAEHDOptions, network: Autoencoder, patch: int) -> dict[str, Discriminator]:
    dtype = PRECISIONS[used.precision].compute
    found = {}
    if used.true_face_power > 0:
        found[CODE_DISCRIMINATOR] = CodeDiscriminator(
            network.code_channels, network.code_resolution, compute_dtype=dtype)
    if used.gan_power > 0:
        found[GAN] = build_gan(used, patch, dtype)
    return found


def _frozen(options: SAEHDOptions, network: Autoencoder) -> Sequence[str]:
    """Pretraining does without warps too, and must train all parts."""
    return () if options.random_warp or options.pretrain else network.frozen_without_warp
