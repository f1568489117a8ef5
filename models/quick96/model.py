"""Quick96: a DF autoencoder (`df-ud`) with one loss and one optimizer."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from facelib.face_type import FaceType
from facelib.types import Predictor
from leras.graph import compile, image_spec
from leras.optimizers.adabelief import AdaBelief
from leras.optimizers.base import Schedule
from leras.optimizers.rmsprop import RMSprop
from models.base import SwapModel
from models.losses import Target, reconstruction_terms, soft_target
from models.networks.df import DF
from models.predictor import CompiledPredictor
from models.quick96.options import Quick96Options
from models.side import Side
from samplelib.recipe import SampleOptions, SampleRecipe
from samplelib.sampler import Batch

OPTIMIZERS = {"rmsprop": RMSprop, "adabelief": AdaBelief}
UNWARPED_EVERY = 3  # so that the encoder also meets faces as the merger will show them


class Quick96Model(SwapModel):
    """See `models.base.SwapModel`; the constructor draws all weights from `options.seed`."""

    options_type = Quick96Options

    def __init__(self, options: Quick96Options):
        self.options = options
        self.face_type = FaceType.parse(options.face_type)
        self.network = DF(options.resolution, ae_ch=options.ae_dims, encoder_ch=options.e_dims,
                          decoder_ch=options.d_dims, mask_ch=options.d_mask_dims)
        self.network.initialize(np.random.default_rng(options.seed))
        self._weights = dict(self.network.named_variables())
        schedule = Schedule(options.learning_rate, dropout=options.lr_dropout)
        self.optimizer = OPTIMIZERS[options.optimizer](self._weights, schedule, seed=options.seed)
        self._step = compile(self._train, tf.TensorSpec(()), *self._signature(),
                             jit=options.xla)
        self._predictor = CompiledPredictor(
            options.resolution, self.face_type, self.network.code,
            {"face": self.network.decoder_src.face, "face_mask": self.network.decoder_src.mask,
             "dst_mask": self.network.decoder_dst.mask})
        face = image_spec(options.resolution, options.resolution, 3)
        self._reconstruct = compile(self._reconstructions, face, face)

    def recipe(self, side: Side) -> SampleRecipe:
        flips = {Side.SRC: self.options.random_src_flip, Side.DST: self.options.random_dst_flip}
        return SampleRecipe(self.options.resolution, self.face_type, ("warped", "target", "mask"),
                            SampleOptions(random_flip=flips[side]))

    def needs_new_batch(self, iteration: int) -> bool:
        return iteration % UNWARPED_EVERY != 0

    def train_step(self, iteration: int, batches: Mapping[Side, Batch],
                   rate_scale: float = 1.0) -> dict[str, float]:
        """Every third iteration trains on the faces of the one before, unwarped."""
        source = "warped" if self.needs_new_batch(iteration) else "target"
        arrays = [batches[side][name] for side in Side for name in (source, "target", "mask")]
        losses = self._step(np.float32(rate_scale), *arrays)
        return {side.value: float(loss) for side, loss in zip(Side, losses, strict=True)}

    def preview(self, batches: Mapping[Side, Batch]) -> list[dict[str, np.ndarray]]:
        src, dst = (batches[side]["target"] for side in Side)
        src_again, dst_again = self._reconstruct(src, dst)
        swap = self._predictor(dst)
        pasted = _paste(swap.face, dst, swap.face_mask * swap.dst_mask)
        columns = {"src": src, "src again": src_again, "dst": dst, "dst again": dst_again,
                   "swap": swap.face, "swap pasted": pasted}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values())]

    def predictor(self) -> Predictor:
        return self._predictor

    def state(self) -> dict[str, dict[str, np.ndarray]]:
        return {"weights": self.network.state(), "optimizer": self.optimizer.state()}

    def load_state(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        self.network.load_state(state["weights"])
        self.optimizer.load_state(state["optimizer"])

    def _signature(self) -> list[tf.TensorSpec]:
        """Specs of input, target and mask of src, then of dst; a fixed batch helps XLA."""
        batch, side = self.options.batch_size, self.options.resolution
        return [tf.TensorSpec((batch, side, side, channels)) for channels in (3, 3, 1) * 2]

    def _train(self, rate_scale, src_input, src_face, src_mask, dst_input, dst_face, dst_mask):
        targets = [soft_target(src_face, src_mask), soft_target(dst_face, dst_mask)]
        with tf.GradientTape() as tape:
            losses = self._losses(src_input, dst_input, targets)
            total = tf.reduce_mean(tf.add_n(losses))
        self.optimizer.apply(tape.gradient(total, list(self._weights.values())), rate_scale)
        return [tf.reduce_mean(loss) for loss in losses]

    def _losses(self, src_input, dst_input, targets: list[Target]) -> list[tf.Tensor]:
        """The loss of each side, (N,); both sides go through the shared networks at once."""
        codes = tf.split(self.network.code(tf.concat([src_input, dst_input], 0)), 2)
        decoders = (self.network.decoder_src, self.network.decoder_dst)
        return [tf.add_n(list(reconstruction_terms(*decoder(code), target).values()))
                for decoder, code, target in zip(decoders, codes, targets, strict=True)]

    def _reconstructions(self, src, dst):
        return (self.network.decoder_src.face(self.network.code(src)),
                self.network.decoder_dst.face(self.network.code(dst)))


def _paste(face: np.ndarray, background: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return face * mask + background * (1 - mask)
