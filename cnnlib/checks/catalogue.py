"""All exercises of the course, found by the names of their modules."""

import importlib
import pkgutil
import re

import cnnlib.checks
from cnnlib.checks.engine import Exercise

__all__ = ["exercise", "exercise_names"]


def exercise_names() -> list[str]:
    """Names such as ``ch04_output_size``, in the order of the chapters."""
    modules = pkgutil.iter_modules(cnnlib.checks.__path__)
    return sorted(m.name for m in modules if re.match(r"ch\d\d_", m.name))


def exercise(name: str) -> Exercise:
    """The exercise of that name; its module is imported here, and torch with it where it needs that."""
    return importlib.import_module(f"cnnlib.checks.{name}").EXERCISE
