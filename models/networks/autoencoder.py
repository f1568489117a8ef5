"""What every two-sided autoencoder offers to the models, whatever it is made of."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import tensorflow as tf

from leras.module import Module
from models.networks.blocks import Activation, leaky_relu, x_cos
from models.networks.decoder import Decoder
from models.networks.encoder import DeepEncoder, Encoder, FlatEncoder


class Codes(NamedTuple):
    """Every code of one batch; what nothing reads costs nothing in a graph.

    Maps (N, S, S, C) in the compute dtype. Only decoders know what their channels mean.
    """

    src: tf.Tensor  # src faces, for their own decoder
    dst: tf.Tensor  # dst faces, for their own decoder
    swap: tf.Tensor  # dst faces, for the src decoder
    true_face_src: tf.Tensor  # what the code discriminator compares: (N, S, S, code_channels)
    true_face_dst: tf.Tensor


class SwapCodes(NamedTuple):
    """What both decoders make of dst faces; the swap's code is for the src decoder."""

    swap: tf.Tensor
    dst: tf.Tensor


class Decoded(NamedTuple):
    """A face (N, R, R, 3) and its mask (N, R, R, 1), float32 in (0, 1)."""

    face: tf.Tensor
    mask: tf.Tensor


class Autoencoder(Module, ABC):
    """Encoder, inters and decoders of one architecture.

    Args:
        resolution: Side of the faces.
        options: Option letters: `u` pixel norm of the code, `d` half-size trunk with four pixel
            heads, `t` deeper networks, `c` activation x * cos(x).
        compute_dtype: Dtype of all convolutions. Parameters, dense layers and the pixel norm are
            float32, and so are faces and masks.
        recompute: Whether the backward pass computes activations again instead of keeping them:
            gradient checkpointing around the encoder and each stage of the decoders.

    Attributes:
        letters: The option letters that the architecture knows.
        encoder_types: Its encoders without and with letter `t`.
        decoder_type: Its decoder.
        inter_names: Parts that are drawn anew after pretraining.
        frozen_without_warp: Parts that are not trained while faces are not warped.
        decoder_src, decoder_dst: The decoder of each side, perhaps one and the same.
        code_resolution, code_channels: Shape of the codes of `true_face_codes`.

    Raises:
        ValueError: for unknown letters or a resolution that the letters cannot have.
    """

    letters = "udtc"
    encoder_types: tuple[type[FlatEncoder], type[FlatEncoder]] = (Encoder, DeepEncoder)
    decoder_type: type[Decoder] = Decoder
    inter_names: tuple[str, ...]
    frozen_without_warp: tuple[str, ...] = ()
    decoder_src: Decoder
    decoder_dst: Decoder
    code_resolution: int
    code_channels: int

    def __init__(self, resolution: int, options: str, compute_dtype: tf.DType = tf.float32,
                 recompute: bool = False):
        super().__init__()
        unknown = set(options) - set(self.letters)
        if unknown:
            raise ValueError(f"unknown option letters {''.join(sorted(unknown))!r}")
        step = 32 if set(options) & {"d", "t"} else 16
        if resolution % step:
            raise ValueError(f"resolution {resolution} is no multiple of {step}")
        self.resolution = resolution
        self._options, self._compute_dtype = options, tf.as_dtype(compute_dtype)
        self._recompute = recompute

    @abstractmethod
    def parts(self) -> dict[str, Module]:
        """The networks by the name under which they are saved."""

    @abstractmethod
    def encode(self, faces: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) in [0, 1] -> (N, L) float32: what `codes_from` reads."""

    @abstractmethod
    def codes_from(self, src_encoded: tf.Tensor, dst_encoded: tf.Tensor) -> Codes:
        """Runs the inters, each once, on what `encode` gave for src and for dst."""

    @abstractmethod
    def swap_codes(self, dst: tf.Tensor) -> SwapCodes:
        """(N, R, R, 3) dst faces -> their codes; what nothing reads costs nothing in a graph."""

    @abstractmethod
    def decode(self, src_code: tf.Tensor, dst_code: tf.Tensor) -> tuple[Decoded, Decoded]:
        """Each side's own reconstruction from its code."""

    @abstractmethod
    def decode_all(self, codes: Codes) -> tuple[Decoded, Decoded, Decoded]:
        """The reconstructions of src and dst and the swap of dst, each decoder running once."""

    def all_codes(self, src: tf.Tensor, dst: tf.Tensor) -> Codes:
        """(N, R, R, 3) faces of both sides -> their codes, by one pass of the encoder."""
        return self.codes_from(*tf.split(self.encode(tf.concat([src, dst], 0)), 2))

    def codes(self, src: tf.Tensor, dst: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N, R, R, 3) faces of both sides -> the maps that `decode` reads."""
        codes = self.all_codes(src, dst)
        return codes.src, codes.dst

    def swap_code(self, dst: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) dst faces -> the map from which `decoder_src` makes the swapped face."""
        return self.swap_codes(dst).swap

    def true_face_codes(self, src: tf.Tensor, dst: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The maps (N, code_resolution, code_resolution, code_channels) of both sides.

        They come from the same inter, so a discriminator of codes can pull one side's
        distribution towards the other's ("true face").
        """
        codes = self.all_codes(src, dst)
        return codes.true_face_src, codes.true_face_dst

    @property
    def _activation(self) -> Activation:
        return x_cos if "c" in self._options else leaky_relu

    def _build_encoder(self, ch: int) -> FlatEncoder:
        encoder_type = self.encoder_types["t" in self._options]
        return encoder_type(ch, normalize="u" in self._options, activation=self._activation,
                            compute_dtype=self._compute_dtype, recompute=self._recompute)

    def _build_decoder(self, in_ch: int, ch: int, mask_ch: int, **known) -> Decoder:
        return self.decoder_type(
            in_ch, ch, mask_ch, double="d" in self._options, deep="t" in self._options,
            activation=self._activation, compute_dtype=self._compute_dtype,
            recompute=self._recompute, **known)

    def _inter_side(self) -> int:
        """Side of an inter's map before its upscale."""
        return self.resolution // (32 if "d" in self._options else 16)


def split_decoded(face: tf.Tensor, mask: tf.Tensor, n: int) -> tuple[Decoded, ...]:
    """Cuts faces and masks of `n` equal batches apart."""
    return tuple(map(Decoded, tf.split(face, n), tf.split(mask, n)))
