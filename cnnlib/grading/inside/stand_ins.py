"""In place of what stays outside of the sandbox: imports work, and a use says calmly why it does not.

The notebooks' own cells import the checks, and some compare with the reference. Neither is here while
grading: a cell that only looks is skipped, and a solution that leans on them has nothing to lean on.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

__all__ = ["NotHereError", "install"]


class NotHereError(Exception):
    """A part of the course that is not there while grading was used."""


class _Absent:
    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NotHereError(f"{self._name} is not there while grading")

    __call__ = __iter__ = __len__ = __getitem__ = __bool__ = _refuse

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self._name}.{name}")


def _look(*_: Any, **__: Any) -> None:
    """`check` in a notebook: the marks come from elsewhere."""


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, absent: tuple[str, ...], present: tuple[str, ...]) -> None:
        self.absent, self.present = absent, present

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in self.present:
            return None
        if any(name == one or name.startswith(f"{one}.") for one in self.absent):
            spec = importlib.machinery.ModuleSpec(name, self, is_package=True)
            # where those of its modules lie that are there
            spec.submodule_search_locations = [f"{p}/{name.rpartition('.')[2]}" for p in path or ()]
            return spec
        return None

    def create_module(self, spec: Any) -> ModuleType:
        module = ModuleType(spec.name)

        def absent(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            if f"{spec.name}.{name}" in self.present:
                return importlib.import_module(f"{spec.name}.{name}")
            return _look if name == "check" else _Absent(f"{spec.name}.{name}")

        module.__dict__["__getattr__"] = absent
        return module

    def exec_module(self, module: ModuleType) -> None:
        pass


def install(absent: tuple[str, ...], present: tuple[str, ...] = ()) -> None:
    """Let the modules `absent`, and all below them but `present`, be imported as stand-ins."""
    sys.meta_path.insert(0, _Finder(absent, present))
