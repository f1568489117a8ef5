"""The DF autoencoder: one encoder and inter for both sides, a decoder for each.

Section 3.2 of the DeepFaceLab paper (Perov et al., 2020).
"""

import tensorflow as tf

from leras.module import Module
from models.networks.autoencoder import Autoencoder, Codes, Decoded, SwapCodes, split_decoded
from models.networks.inter import Inter


class DF(Autoencoder):
    """See `Autoencoder` for the interface, the letters and the dtypes.

    Args:
        resolution: Side of the faces; a multiple of 16, with `d` or `t` of 32.
        ae_ch, encoder_ch, decoder_ch, mask_ch: Widths.
        options: Letters of {u, d, t, c}.
        compute_dtype, recompute: See `Autoencoder`.
    """

    inter_names = ("inter",)

    def __init__(self, resolution: int, *, ae_ch: int, encoder_ch: int, decoder_ch: int,
                 mask_ch: int, options: str = "ud", compute_dtype: tf.DType = tf.float32,
                 recompute: bool = False):
        super().__init__(resolution, options, compute_dtype, recompute)
        self.encoder = self._build_encoder(encoder_ch)
        self.inter = Inter(self.encoder.code_length(resolution), ae_ch, ae_ch, self._inter_side(),
                           upscale="t" not in options, activation=self._activation,
                           compute_dtype=self._compute_dtype)
        self.decoder_src, self.decoder_dst = (
            self._build_decoder(ae_ch, decoder_ch, mask_ch) for _ in range(2))
        self.code_resolution, self.code_channels = self.inter.map_side, ae_ch

    def parts(self) -> dict[str, Module]:
        return {"encoder": self.encoder, "inter": self.inter,
                "decoder_src": self.decoder_src, "decoder_dst": self.decoder_dst}

    def encode(self, faces: tf.Tensor) -> tf.Tensor:
        return self.encoder(faces)

    def code(self, faces: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) faces of either side -> the map that both decoders read."""
        return self.inter(self.encoder(faces))

    def codes_from(self, src_encoded: tf.Tensor, dst_encoded: tf.Tensor) -> Codes:
        src, dst = tf.split(self.inter(tf.concat([src_encoded, dst_encoded], 0)), 2)
        return Codes(src, dst, swap=dst, true_face_src=src, true_face_dst=dst)

    def swap_codes(self, dst: tf.Tensor) -> SwapCodes:
        code = self.code(dst)
        return SwapCodes(code, code)

    def decode(self, src_code: tf.Tensor, dst_code: tf.Tensor) -> tuple[Decoded, Decoded]:
        return Decoded(*self.decoder_src(src_code)), Decoded(*self.decoder_dst(dst_code))

    def decode_all(self, codes: Codes) -> tuple[Decoded, Decoded, Decoded]:
        src, swap = split_decoded(*self.decoder_src(tf.concat([codes.src, codes.swap], 0)), 2)
        return src, Decoded(*self.decoder_dst(codes.dst)), swap
