"""Names for things that are imported only when somebody wants them."""

import importlib
from collections.abc import Mapping
from typing import Any

from core.errors import OptionError
from core.option_spec import did_you_mean


class Registry:
    """A table name -> "module:attribute" of exchangeable parts (detectors, models, ...)."""

    def __init__(self, kind: str, entries: Mapping[str, str]):
        """
        Args:
            kind: What the entries are, for messages ("face detector").
            entries: Name to address; the modules are not imported here.
        """
        self.kind = kind
        self._entries = dict(entries)

    def names(self) -> tuple[str, ...]:
        """The known names, in the order they were written."""
        return tuple(self._entries)

    def load(self, name: str) -> Any:
        """Imports and returns what the name stands for.

        Args:
            name: A known name (any case), or the address of your own part, "module:Class".

        Raises:
            OptionError: The name is unknown, or your own address leads nowhere.
        """
        address = self._address(name)
        if address is not None:
            return _import(address)
        if ":" not in name:
            known = ", ".join(self._entries)
            raise OptionError(f"unknown {self.kind} {name!r}; known are {known}, or your own as "
                              f"module:Class{did_you_mean(name, self._entries)}")
        return self._load_own(name)

    def _address(self, name: str) -> str | None:
        by_lower = {known.lower(): address for known, address in self._entries.items()}
        return self._entries.get(name) or by_lower.get(name.lower())

    def _load_own(self, address: str) -> Any:
        module = address.partition(":")[0]
        try:
            return _import(address)
        except ModuleNotFoundError as error:
            # A missing module inside the user's own module is the user's to see in full.
            if error.name is not None and not f"{module}.".startswith(f"{error.name}."):
                raise
            raise OptionError(f"{self.kind} {address!r}: there is no module {module!r}; "
                              "check the name and PYTHONPATH") from error
        except (AttributeError, ValueError) as error:
            raise OptionError(f"{self.kind} {address!r}: {error}; write it as module:Class "
                              "with a class that exists") from error


def _import(address: str) -> Any:
    module, _, attribute = address.partition(":")
    part = importlib.import_module(module)
    for step in attribute.split("."):
        part = getattr(part, step)
    return part
