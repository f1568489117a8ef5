"""The numbers of a status in JSON's types, as the status file and the web page give them."""

from collections.abc import Iterable
from typing import Any

from core.report import to_json
from mainscripts.views.view import TrainingStatus

_NOT_TOLD = ("history", "history_length", "previews")


def status_facts(status: TrainingStatus) -> dict[str, Any]:
    """All of a status but its arrays, and `seconds_left` to the target iteration (None: unknown).

    Numbers that are not finite become None.
    """
    facts = {name: value for name, value in vars(status).items() if name not in _NOT_TOLD}
    return to_json({**facts, "seconds_left": seconds_left(status)})


def seconds_left(status: TrainingStatus) -> float | None:
    """Time to the target iteration at the present speed; None without a target or a speed."""
    if not status.target_iteration or not status.iterations_per_second > 0:
        return None
    n_left = max(status.target_iteration - status.iteration, 0)
    return n_left / status.iterations_per_second


def preview_files(names: Iterable[str]) -> dict[str, str]:
    """Preview name -> its own file name, `preview_<name>.png`; other than letters, digits, `-`
    and `_` become `_`."""
    files: dict[str, str] = {}
    for name in names:
        stem = "preview_" + "".join(letter if letter.isalnum() or letter in "-_" else "_"
                                    for letter in name)
        taken = {file.casefold() for file in files.values()}  # Windows and macOS: A is a
        while f"{stem}.png".casefold() in taken:
            stem += "_"
        files[name] = f"{stem}.png"
    return files


def headline(status: TrainingStatus) -> str:
    """A status in one line: "anna (SAEHD)  iteration 1,200 of 5,000  6.4 it/s  9 min left"."""
    target = f" of {status.target_iteration:,}" if status.target_iteration else ""
    parts = [f"{status.name} ({status.kind})", f"iteration {status.iteration:,}{target}",
             f"{status.iterations_per_second:.2f} it/s"]
    left = seconds_left(status)
    if left is not None:
        parts.append(f"{duration(left)} left" if left else "target reached")
    if status.rate_scale != 1.0:
        parts.append(f"learning rate x {status.rate_scale:.3g}")
    if status.message:
        parts.append(status.message)
    return "   ".join(parts)


def duration(seconds: float) -> str:
    """A time for people, in its two largest units: "2 d 5 h", "14 min 3 s"."""
    rest, parts = round(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        n, rest = divmod(rest, size)
        if n or parts or unit == "s":
            parts.append(f"{n} {unit}" if n or not parts else "")
    return " ".join(part for part in parts[:2] if part)
