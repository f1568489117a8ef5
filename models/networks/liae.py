"""The LIAE autoencoder: one encoder and decoder for both sides, two inters.

Section 3.2 of the DeepFaceLab paper (Perov et al., 2020). inter_AB sees both sides and inter_B only
dst; the decoder reads two maps one behind the other: [AB(src), AB(src)] for src, [B(dst), AB(dst)]
for dst, [AB(dst), AB(dst)] for the swap. (The paper writes dst's pair the other way round; weight
files of this field have B first.)
"""

import tensorflow as tf

from leras.module import Module
from models.networks.autoencoder import Autoencoder, Codes, Decoded, SwapCodes, split_decoded
from models.networks.blocks import PairUpscale
from models.networks.decoder import Decoder
from models.networks.inter import Inter


class LIAE(Autoencoder):
    """See `Autoencoder` for the interface, the letters and the dtypes.

    The codes of src and of the swap are AB's map alone, which the decoder takes as the pair
    [AB, AB] (see `PairUpscale`); the code of dst is the pair with all its channels.

    Args:
        resolution: Side of the faces; a multiple of 16, with `d` or `t` of 32.
        ae_ch, encoder_ch, decoder_ch, mask_ch: Widths; each inter's map has 2 * ae_ch channels.
        options: Letters of {u, d, t, c}.
        compute_dtype, recompute: See `Autoencoder`.
    """

    inter_names = ("inter_AB", "inter_B")
    frozen_without_warp = ("inter_AB",)

    def __init__(self, resolution: int, *, ae_ch: int, encoder_ch: int, decoder_ch: int,
                 mask_ch: int, options: str = "ud", compute_dtype: tf.DType = tf.float32,
                 recompute: bool = False):
        super().__init__(resolution, options, compute_dtype, recompute)
        self.encoder = self._build_encoder(encoder_ch)
        self.inter_AB, self.inter_B = (
            Inter(self.encoder.code_length(resolution), ae_ch, ae_ch * 2, self._inter_side(),
                  upscale="t" not in options, activation=self._activation,
                  compute_dtype=self._compute_dtype) for _ in range(2))
        self.decoder = self._build_decoder(ae_ch * 4, decoder_ch, mask_ch, first=PairUpscale)
        self.code_resolution, self.code_channels = self.inter_AB.map_side, ae_ch * 2

    @property
    def decoder_src(self) -> Decoder:
        return self.decoder

    @property
    def decoder_dst(self) -> Decoder:
        return self.decoder

    def parts(self) -> dict[str, Module]:
        return {"encoder": self.encoder, "inter_AB": self.inter_AB, "inter_B": self.inter_B,
                "decoder": self.decoder}

    def encode(self, faces: tf.Tensor) -> tf.Tensor:
        return self.encoder(faces)

    def codes_from(self, src_encoded: tf.Tensor, dst_encoded: tf.Tensor) -> Codes:
        both = self.inter_AB(tf.concat([src_encoded, dst_encoded], 0))
        src, dst = tf.split(both, 2)
        pair = tf.concat([self.inter_B(dst_encoded), dst], -1)
        return Codes(src, pair, swap=dst, true_face_src=src, true_face_dst=dst)

    def swap_codes(self, dst: tf.Tensor) -> SwapCodes:
        encoded = self.encoder(dst)
        code = self.inter_AB(encoded)
        return SwapCodes(code, tf.concat([self.inter_B(encoded), code], -1))

    def decode(self, src_code: tf.Tensor, dst_code: tf.Tensor) -> tuple[Decoded, Decoded]:
        return self._decode(src_code, dst_code)

    def decode_all(self, codes: Codes) -> tuple[Decoded, Decoded, Decoded]:
        return self._decode(codes.src, codes.dst, codes.swap)

    def _decode(self, *codes: tf.Tensor) -> tuple[Decoded, ...]:
        """Codes of either width, joined along the batch behind the decoder's first blocks."""
        face = tf.concat([self.decoder.face_stem(code) for code in codes], 0)
        mask = tf.concat([self.decoder.mask_stem(code) for code in codes], 0)
        return split_decoded(self.decoder.face_from(face), self.decoder.mask_from(mask),
                             len(codes))
