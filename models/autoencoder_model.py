"""What all models made of an autoencoder have in common."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import tensorflow as tf

from facelib.face_type import FaceType
from facelib.types import Predictor
from leras.graph import compile, image_spec
from leras.module import Module
from leras.optimizers.base import Optimizer
from leras.precision import PRECISIONS
from leras.train_step import Objectives, StepControl, StepResult, TrainStep
from models.base import SwapModel
from models.inputs import Inputs, is_placed, require_bytes
from models.networks.amp import AMPAutoencoder
from models.networks.autoencoder import Autoencoder, Decoded
from models.networks.discriminators.base import Discriminator
from models.options import TrainingOptions
from models.predictor import CompiledPredictor
from models.preview import PreviewRow
from models.preview_rows import Reconstructions, swap_previews
from models.side import Side
from models.training_parts import GENERATOR, LOSS_SCALE, build_optimizer, misfit
from samplelib.sampler import Batch

ADVERSARIES = ("GAN", "code_discriminator")  # parts that a model may do without


class AutoencoderModel(SwapModel):
    """An autoencoder, its adversaries, an optimizer for each, and one compiled step.

    A subclass builds the networks, hands them over and says what they should achieve.

    Args:
        options: What the user chose; pretraining changes some of them, see `models.options`.
        network: Drawn anew from `options.seed`.
        inputs: What a step reads of the batches.
        adversaries: By the names of `ADVERSARIES`; drawn anew too, each by itself.
        extra: Specs of further arrays of a step, (inputs.size, ...); see `extra_arrays`.
        frozen: Parts of the network that keep their weights.

    Attributes:
        preview_name: Of the first preview.
        network, adversaries: As given.
    """

    preview_name: ClassVar[str]

    def __init__(self, options: TrainingOptions, network: Autoencoder | AMPAutoencoder,
                 inputs: Inputs, *, adversaries: Mapping[str, Discriminator] = {},
                 extra: Sequence[tf.TensorSpec] = (), frozen: Sequence[str] = ()):
        self.options, self.network, self.adversaries = options, network, dict(adversaries)
        self.face_type = FaceType.parse(options.face_type)
        self._inputs = inputs
        self._idle: dict[str, dict[str, np.ndarray]] = {}
        network.initialize(np.random.default_rng(options.seed))
        for name in self.adversaries:
            self._draw_adversary(name)
        self._optimizers = {GENERATOR: build_optimizer(options, network, 0, frozen)} | {
            name: build_optimizer(options, module, number)
            for number, (name, module) in enumerate(self.adversaries.items(), 1)}
        self._step = TrainStep(
            self._objectives, self._optimizers, [*inputs.signature(), *extra],
            precision=PRECISIONS[options.precision], accumulate=options.accumulate,
            jit=options.xla)
        face = image_spec(options.resolution, options.resolution, 3)
        self._reconstruct = compile(self._reconstructions, face, face)
        self._predictor = self._build_predictor()

    @abstractmethod
    def objectives(self, samples: Mapping[Side, Mapping[str, tf.Tensor]],
                   *extra: tf.Tensor) -> Objectives:
        """What the networks should achieve; traced once.

        Args:
            samples: Side -> output of the sample -> (N, R, R, C) float32 in [0, 1].
            extra: See `extra_arrays`.

        Returns:
            A total for "generator", and for each adversary by its name.
        """

    def extra_arrays(self, iteration: int) -> list[np.ndarray]:
        """This process's share of what a step reads besides the batches; nothing by default."""
        return []

    def place(self, batch: Batch) -> Batch:
        require_bytes(batch)
        return {name: self._step.place(array) for name, array in batch.items()}

    def train_step(self, iteration: int, batches: Mapping[Side, Batch],
                   control: StepControl = StepControl()) -> StepResult:
        placed = {side: batch if is_placed(batch) else self.place(batch)
                  for side, batch in batches.items()}
        arrays = [*self._inputs.arrays(placed), *self.extra_arrays(iteration)]
        return self._step.step(arrays, control)

    def preview(self, batches: Mapping[Side, Batch]) -> dict[str, list[PreviewRow]]:
        found = self._reconstruct(*(batches[side]["target"] / np.float32(255) for side in Side))
        return swap_previews(self.preview_name, batches, Reconstructions(*found), self.face_type)

    def predictor(self) -> Predictor:
        return self._predictor

    def parts(self) -> dict[str, Module]:
        return {**self.network.parts(), **self.adversaries}

    def optimizers(self) -> dict[str, Optimizer]:
        return dict(self._optimizers)

    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """A file for each part, for each optimizer and, with float16, for the loss scale; and
        adversaries that were trained once and are not now."""
        files = {stem: module.state() for stem, module in self.parts().items()}
        files |= {f"{group}_optimizer": optimizer.state()
                  for group, optimizer in self._optimizers.items()}
        scale = self._step.state()
        return files | ({LOSS_SCALE: scale} if scale else {}) | self._idle

    def load_state(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
        state = divided(state)
        optional = {*ADVERSARIES, *(f"{name}_optimizer" for name in (GENERATOR, *ADVERSARIES)),
                    LOSS_SCALE}
        networks = self.network.parts()
        unknown = sorted(state.keys() - optional - networks.keys())
        if unknown:
            raise KeyError(f"unknown parts: {', '.join(unknown)}")
        self.network.load_state({f"{stem}/{path}": array for stem in networks
                                 for path, array in state.get(stem, {}).items()})
        notes = self._load_optional(state)
        self._step.load_state(state.get(LOSS_SCALE, {}))
        self._idle = {stem: dict(state[stem]) for name in ADVERSARIES
                      if name not in self.adversaries
                      for stem in (name, f"{name}_optimizer") if stem in state}
        return notes

    def after_pretraining(self, rng: np.random.Generator) -> None:
        """Draws the inters anew, and their optimizer forgets them."""
        optimizer = self._optimizers[GENERATOR]
        state = optimizer.state()
        for name in self.network.inter_names:
            self.network.parts()[name].initialize(rng)
            state |= {path: np.zeros_like(array) for path, array in state.items()
                      if path.split("/")[1:2] == [name]}
        optimizer.load_state(state)

    def _load_optional(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
        """Loads adversaries and optimizers where they fit; says which start anew."""
        notes = []
        for name, module in self.adversaries.items():
            reason = misfit(module, state.get(name))
            if reason:
                self._draw_adversary(name)
                notes.append(f"{name} starts anew: {reason}")
            else:
                module.load_state(state[name])
        for group, optimizer in self._optimizers.items():
            stem = f"{group}_optimizer"
            reason = misfit(optimizer, state.get(stem))
            if reason:
                notes.append(f"{stem} starts anew: {reason}")
            optimizer.load_state({path: np.zeros_like(array) for path, array
                                  in optimizer.state().items()} if reason else state[stem])
        return notes

    def _draw_adversary(self, name: str) -> None:
        rng = np.random.default_rng((self.options.seed, 1 + ADVERSARIES.index(name)))
        self.adversaries[name].initialize(rng)

    def _objectives(self, *arrays: tf.Tensor) -> Objectives:
        n = len(self._inputs.signature())
        return self.objectives(self._inputs.tensors(arrays[:n]), *arrays[n:])

    def _reconstructions(self, src: tf.Tensor, dst: tf.Tensor) -> tuple[Decoded, ...]:
        """Faces and masks of src, dst and the swap."""
        return self.network.decode_all(self.network.all_codes(src, dst))

    def _build_predictor(self) -> Predictor:
        network = self.network
        return CompiledPredictor(
            self.options.resolution, self.face_type, network.swap_codes,
            {"face": lambda codes: network.decoder_src.face(codes.swap),
             "face_mask": lambda codes: network.decoder_src.mask(codes.swap),
             "dst_mask": lambda codes: network.decoder_dst.mask(codes.dst)})


def divided(state: Mapping[str, Mapping[str, np.ndarray]]) -> Mapping[str, Mapping]:
    """A state whose networks lie in one file, as Quick96 once saved them, as a file for each."""
    if "weights" not in state:
        return state
    files: dict[str, dict[str, np.ndarray]] = {}
    for path, array in state["weights"].items():
        part, _, rest = path.partition("/")
        files.setdefault(part, {})[rest] = array
    return files | ({"generator_optimizer": state["optimizer"]} if "optimizer" in state else {})
