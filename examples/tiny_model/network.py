"""The tiny model's networks: one encoder for everybody, a decoder for src and one for dst."""

import tensorflow as tf

from leras.layers.conv import Conv2D
from leras.layers.dense import Dense
from leras.module import Module
from leras.ops.tensor import flatten, unflatten
from models.networks.autoencoder import Autoencoder, Codes, Decoded, SwapCodes, split_decoded
from models.networks.blocks import Downscale, Upscale


class TinyEncoder(Module):
    """Two downscales and a dense layer."""

    def __init__(self, resolution: int, width: int, code_length: int):
        super().__init__()
        self.down1, self.down2 = Downscale(3, width), Downscale(width, 2 * width)
        self.dense1 = Dense((resolution // 4)**2 * 2 * width, code_length)

    def __call__(self, faces: tf.Tensor) -> tf.Tensor:
        """(N, R, R, 3) in [0, 1] -> (N, code_length)."""
        return self.dense1(flatten(self.down2(self.down1(faces))))


class TinyDecoder(Module):
    """A dense layer and two upscales; the face and its mask leave by four channels."""

    def __init__(self, resolution: int, width: int, code_length: int):
        super().__init__()
        self._side, self._channels = resolution // 4, 2 * width
        self.dense1 = Dense(code_length, self._side**2 * self._channels)
        self.up1, self.up2 = Upscale(2 * width, width), Upscale(width, width)
        self.out_conv = Conv2D(width, 4, 1)

    def __call__(self, code: tf.Tensor) -> Decoded:
        """(N, code_length) -> (N, R, R, 3) and (N, R, R, 1) in (0, 1)."""
        x = unflatten(self.dense1(code), self._side, self._channels)
        x = tf.sigmoid(self.out_conv(self.up2(self.up1(x))))
        return Decoded(x[..., :3], x[..., 3:])

    def face(self, code: tf.Tensor) -> tf.Tensor:
        """The face alone."""
        return self(code).face

    def mask(self, code: tf.Tensor) -> tf.Tensor:
        """The mask alone."""
        return self(code).mask


class TinyNetwork(Autoencoder):
    """See `models.networks.autoencoder.Autoencoder`."""

    inter_names = ()  # no part is drawn anew after a pretraining

    def __init__(self, resolution: int, width: int, code_length: int):
        super().__init__(resolution, options="")
        self.encoder = TinyEncoder(resolution, width, code_length)
        self.decoder_src, self.decoder_dst = (
            TinyDecoder(resolution, width, code_length) for _ in range(2))

    def parts(self) -> dict[str, Module]:
        return {"encoder": self.encoder, "decoder_src": self.decoder_src,
                "decoder_dst": self.decoder_dst}

    def encode(self, faces: tf.Tensor) -> tf.Tensor:
        return self.encoder(faces)

    def codes_from(self, src_encoded: tf.Tensor, dst_encoded: tf.Tensor) -> Codes:
        """A face's code is the same for both decoders: that is what makes the swap."""
        return Codes(src_encoded, dst_encoded, swap=dst_encoded,
                     true_face_src=src_encoded, true_face_dst=dst_encoded)

    def swap_codes(self, dst: tf.Tensor) -> SwapCodes:
        code = self.encode(dst)
        return SwapCodes(code, code)

    def decode(self, src_code: tf.Tensor, dst_code: tf.Tensor) -> tuple[Decoded, Decoded]:
        return self.decoder_src(src_code), self.decoder_dst(dst_code)

    def decode_all(self, codes: Codes) -> tuple[Decoded, Decoded, Decoded]:
        src, swap = split_decoded(*self.decoder_src(tf.concat([codes.src, codes.swap], 0)), 2)
        return src, self.decoder_dst(codes.dst), swap
