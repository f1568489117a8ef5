"""Before a training starts: which batch fits, how much memory it needs, and the whole plan."""

import dataclasses
from typing import Any

from core.errors import OptionError
from core.option_spec import OptionSpec
from core.options import specs
from core.paths import format_bytes
from core.report import Reporter
from mainscripts.training.beginning import Beginning, ResolveModel, read_beginning
from mainscripts.training.crew import choose_devices
from mainscripts.training.options import TrainOptions
from models.options import AUTO, TrainingOptions, effective


def settle_batch_size(beginning: Beginning, n_devices: int, reporter: Reporter) -> None:
    """Puts a number in place of `--batch-size auto`.

    Raises:
        OptionError: Nobody knows what would fit.
    """
    from models.memory import budget, largest_batch

    options = beginning.options
    if options.batch_size != AUTO:
        return
    room = budget()
    size = None if room is None else largest_batch(options, room, n_devices=n_devices)
    if size is None:
        raise OptionError("--batch-size auto: the memory that this model needs, or that this "
                          "device has, is not known; give a number")
    beginning.options = dataclasses.replace(options, batch_size=size)
    reporter.info(f"batch size {size}: the largest that fits {format_bytes(room)}")


def warn_of_memory(options: TrainingOptions, n_devices: int, reporter: Reporter) -> None:
    """Tells how much memory a training needs, and warns if there is less."""
    from models.memory import budget, estimate

    needed, room = estimate(options, n_devices=n_devices), budget()
    if needed is None:
        reporter.info("memory: not known for this kind of model")
        return
    reporter.event("memory", message=f"memory for each device: about {needed.in_words()}",
                   **dataclasses.asdict(needed), total=needed.total, budget=room)
    if room is not None and needed.total > room:
        reporter.warning(f"a batch of {options.batch_size} needs about "
                         f"{format_bytes(needed.total)}, and {format_bytes(room)} can be used; "
                         f"{_advice(options, room, n_devices)}")


def _advice(options: TrainingOptions, room: float, n_devices: int) -> str:
    """What would make a training fit, or need less."""
    from models.memory import estimate, largest_batch

    def total(**changes: Any) -> float:
        return estimate(dataclasses.replace(options, **changes), n_devices=n_devices).total

    size = largest_batch(options, room, n_devices=n_devices)
    helps = [f"--batch-size {size}"] if size < options.batch_size and (
        total(batch_size=size) <= room) else []
    helps += ["--accumulate 2"] * (bool(helps) and options.accumulate == 1)
    helps += ["--recompute"] * (not options.recompute and total(recompute=True) < total())
    return f"use {' or '.join([*helps, 'narrower networks'])}"


def report_plan(kind: str, files: TrainOptions, resolve_model: ResolveModel,
                reporter: Reporter) -> None:
    """Shows what `train` would do, for --dry-run; writes nothing.

    Raises:
        FaceLabError: Whatever would keep a training from starting.
    """
    from models.store import ModelStore

    n_devices = choose_devices(files)
    store = ModelStore(files.model_dir, kind, files.name)
    beginning = read_beginning(kind, files, store, resolve_model, reporter)
    settle_batch_size(beginning, n_devices, reporter)
    options = beginning.options
    faces = beginning.data.counts()
    listed = " and ".join(f"{count} {name}" for name, count in faces.items())
    lines = [f"{kind} model {files.name} ({store.folder}), iteration "
             f"{beginning.progress.iteration}, {listed} faces, "
             f"{n_devices} device{'s' * (n_devices > 1)}", *option_lines(options)]
    reporter.event("plan", message="\n".join(lines), model=kind, name=files.name,
                   folder=str(store.folder), iteration=beginning.progress.iteration, faces=faces,
                   devices=n_devices, options=dataclasses.asdict(effective(options)))
    warn_of_memory(options, n_devices, reporter)


def option_lines(options: TrainingOptions) -> list[str]:
    """A line for each option: its value, and the default or what pretraining makes of it."""
    used = effective(options)
    return [_line(spec, getattr(options, spec.name), getattr(used, spec.name))
            for spec in specs(type(options))]


def _line(spec: OptionSpec, value: Any, used: Any) -> str:
    note = f"   (default {spec.format(spec.default)})" if value != spec.default else ""
    if used != value:
        note = f"   (while pretraining {spec.format(used)})"
    return f"  {spec.name:<22} {spec.format(value)}{note}"
