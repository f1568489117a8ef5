"""AMP: an autoencoder whose swap morphs from dst to src by a slider.

One encoder and decoder, and an inter for each side. A code is put together channel by channel from
the two inters: in training each src face takes a random choice of channels from inter_src and the
rest from inter_dst, so every mixture decodes to a face; the swap takes the first ones from
inter_src, as many as the slider says.
"""

import numpy as np
import tensorflow as tf

from leras.layers.dense import Dense
from leras.module import Module
from leras.ops.tensor import unflatten
from models.networks.autoencoder import Decoded, SwapCodes, split_decoded
from models.networks.decoder import Decoder
from models.networks.encoder import DeepEncoder


class AMPEncoder(DeepEncoder):
    """Face to bottleneck: the deep encoder, pixel norm, and one dense layer.

    Args:
        resolution: Side of the faces; a multiple of 32.
        ae_ch, ch: Widths of the bottleneck and of the first stage.
        Others as in `FlatEncoder`.
    """

    def __init__(self, resolution: int, ae_ch: int, ch: int, **known):
        super().__init__(ch, normalize=True, **known)
        self.dense1 = Dense(self.code_length(resolution), ae_ch)

    def __call__(self, face: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) in [0, 1] -> (N, ae_ch) float32."""
        return self.dense1(super().__call__(face))


class AMPInter(Module):
    """Bottleneck to map: one dense layer."""

    def __init__(self, ae_ch: int, out_ch: int, side: int,
                 compute_dtype: tf.DType = tf.float32):
        super().__init__()
        self._side, self._out_ch, self._compute_dtype = side, out_ch, compute_dtype
        self.dense2 = Dense(ae_ch, side * side * out_ch)

    def __call__(self, code: tf.Tensor) -> tf.Tensor:
        """(N, ae_ch) float32 -> (N, side, side, out_ch) in the compute dtype."""
        x = unflatten(self.dense2(code), self._side, self._out_ch)
        return tf.cast(x, self._compute_dtype)


class AMPAutoencoder(Module):
    """The whole of AMP. Both inters are trained: src passes through both, dst through its own.

    Args:
        resolution: Side of the faces; a multiple of 32.
        ae_ch, inter_ch, encoder_ch, decoder_ch, mask_ch: Widths.
        compute_dtype: Of the convolutions; dense layers, faces and masks are float32.
        recompute: Gradient checkpointing, as in `Autoencoder`.

    Attributes:
        inter_names: Parts that are drawn anew after pretraining.
        frozen_without_warp: None: every part is always trained.

    Raises:
        ValueError: for a resolution that is no multiple of 32.
    """

    inter_names = ("inter_src", "inter_dst")
    frozen_without_warp = ()

    def __init__(self, resolution: int, *, ae_ch: int, inter_ch: int, encoder_ch: int,
                 decoder_ch: int, mask_ch: int, compute_dtype: tf.DType = tf.float32,
                 recompute: bool = False):
        super().__init__()
        if resolution % 32:
            raise ValueError(f"resolution {resolution} is no multiple of 32")
        dtype = tf.as_dtype(compute_dtype)
        self.resolution, self.inter_ch = resolution, inter_ch
        self.encoder = AMPEncoder(resolution, ae_ch, encoder_ch, compute_dtype=dtype,
                                  recompute=recompute)
        self.inter_src, self.inter_dst = (
            AMPInter(ae_ch, inter_ch, resolution // 32, dtype) for _ in range(2))
        self.decoder = Decoder(inter_ch, decoder_ch, mask_ch, double=True, deep=True,
                               compute_dtype=dtype, recompute=recompute)

    @property
    def decoder_src(self) -> Decoder:
        """The one decoder; so is `decoder_dst`."""
        return self.decoder

    @property
    def decoder_dst(self) -> Decoder:
        return self.decoder

    def parts(self) -> dict[str, Module]:
        """The networks by the name under which they are saved."""
        return {"encoder": self.encoder, "inter_src": self.inter_src, "inter_dst": self.inter_dst,
                "decoder": self.decoder}

    def encode(self, faces: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) in [0, 1] -> (N, ae_ch) float32: what the inters read."""
        return self.encoder(faces)

    def codes(self, src: tf.Tensor, dst: tf.Tensor,
              src_channels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(N, R, R, 3) faces of both sides -> the maps that `decode` reads.

        `src_channels`: (N, inter_ch), see `codes_from`.
        """
        src_encoded, dst_encoded = tf.split(self.encode(tf.concat([src, dst], 0)), 2)
        return self.codes_from(src_encoded, dst_encoded, src_channels)

    def codes_from(self, src_encoded: tf.Tensor, dst_encoded: tf.Tensor,
                   src_channels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Runs the inters, each once.

        Args:
            src_encoded, dst_encoded: (N, ae_ch) from `encode`.
            src_channels: (N, inter_ch) of 0 and 1: where a face of src takes the channel from
                inter_src, elsewhere from inter_dst. See `random_channels`.

        Returns:
            The maps (N, R/32, R/32, inter_ch) of src and dst.
        """
        of_src = self.inter_src(src_encoded)
        src_of_dst, dst = tf.split(self.inter_dst(tf.concat([src_encoded, dst_encoded], 0)), 2)
        return mix_channels(of_src, src_of_dst, src_channels), dst

    def morph(self, dst_encoded: tf.Tensor, value: tf.Tensor | float) -> tf.Tensor:
        """The map from which `decoder_src` makes the swapped face.

        Args:
            dst_encoded: (N, ae_ch) from `encode`.
            value: () or (N, 1) in [0, 1]: 0 keeps dst, 1 is the full swap. The first
                int(inter_ch * value) channels come from inter_src.

        Returns:
            (N, R/32, R/32, inter_ch).
        """
        return mix_channels(self.inter_src(dst_encoded), self.inter_dst(dst_encoded),
                            first_channels(self.inter_ch, value))

    def swap_codes(self, dst: tf.Tensor, value: tf.Tensor | float = 1.0) -> SwapCodes:
        """(N, R, R, 3) dst faces -> their codes, the swap's as by `morph`."""
        encoded = self.encode(dst)
        of_dst = self.inter_dst(encoded)
        return SwapCodes(mix_channels(self.inter_src(encoded), of_dst,
                                      first_channels(self.inter_ch, value)), of_dst)

    def swap_code(self, dst: tf.Tensor, value: tf.Tensor | float = 1.0) -> tf.Tensor:
        """`morph` of (N, R, R, 3) dst faces."""
        return self.morph(self.encode(dst), value)

    def decode(self, src_code: tf.Tensor, dst_code: tf.Tensor) -> tuple[Decoded, Decoded]:
        """Each side's own reconstruction, by one pass of the decoder."""
        return split_decoded(*self.decoder(tf.concat([src_code, dst_code], 0)), 2)


def mix_channels(a: tf.Tensor, b: tf.Tensor, from_a: tf.Tensor) -> tf.Tensor:
    """(N, H, W, C) maps: channels of `a` where `from_a`, (N or 1, C), is 1, elsewhere of `b`."""
    return tf.where(from_a[:, tf.newaxis, tf.newaxis] > 0.5, a, b)


def first_channels(n_channels: int, value: tf.Tensor | float) -> tf.Tensor:
    """(1 or N, n_channels) float32: 1 for the first int(n_channels * value), then 0.

    Args:
        value: () or (N, 1) in [0, 1].
    """
    # The small surplus keeps float32 from losing a channel: 0.29 is a bit less than 0.29.
    count = tf.floor(tf.cast(value, tf.float32) * n_channels + 1e-3)
    channels = tf.cast(tf.range(n_channels, dtype=tf.float32) < count, tf.float32)
    return tf.reshape(channels, (-1, n_channels))


def random_channels(rng: np.random.Generator, n: int, n_channels: int,
                    value: float) -> np.ndarray:
    """Draws which channels of each face come from inter_src.

    Args:
        rng: Decides.
        n: Faces.
        n_channels: The `inter_ch` of the network.
        value: In [0, 1]: int(n_channels * value) channels of every face are chosen.

    Returns:
        (n, n_channels) float32 of 0 and 1.
    """
    chosen = np.zeros((n, n_channels), np.float32)
    chosen[:, :int(n_channels * value + 1e-3)] = 1
    return rng.permuted(chosen, axis=1)
