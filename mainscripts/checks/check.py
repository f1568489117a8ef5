"""The outcome of one check."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How good it is: `ok`; `warning`, FaceLab runs but not as it could; `problem`, it cannot."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """One line of the doctor.

    Attributes:
        name: What was looked at.
        status: How good it is.
        message: What was found and, unless it is ok, what to do.
    """

    name: str
    status: Status
    message: str


def ok(name: str, message: str) -> Check:
    """A check without complaint."""
    return Check(name, Status.OK, message)


def warning(name: str, message: str) -> Check:
    """A check with something to improve."""
    return Check(name, Status.WARNING, message)


def problem(name: str, message: str) -> Check:
    """A check that says FaceLab cannot run."""
    return Check(name, Status.PROBLEM, message)
