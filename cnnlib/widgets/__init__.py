"""Interactive widgets: one module and one JavaScript file each, at home in notebooks and in the book.

>>> from cnnlib.widgets import OutputSize
>>> OutputSize(size=224, kernel=11, stride=4).output_size
54

Nothing is imported before a widget is asked for, so ``import cnnlib.widgets`` stays light.

A widget is three files with one name. ``.json`` holds its settings and examples, which both languages
read. ``.js`` exports ``mount(root, store)`` and its pure arithmetic, and takes what widgets share from
``shared.js``, ``grid.js``, ``plot.js`` and the like. ``.py`` holds the traits and, computed with cnnlib,
the results and the table that stands in the widget's place without JavaScript. ``bundle.py`` joins the
JavaScript for both homes.
"""

import importlib
from typing import Any

# Module of each widget, and the class in it. The book's page element is named after the module.
WIDGETS = {
    "convolution": "Convolution",
    "receptive_field": "ReceptiveField",
    "parameters": "Parameters",
    "output_size": "OutputSize",
    "alexnet": "AlexNetDetective",
    "activation": "Activation",
    "pooling": "Pooling",
    "bn_placement": "BnPlacement",
    "dropout": "Dropout",
    "pattern": "Pattern",
}

__all__ = [
    "WIDGETS",
    "Activation",
    "AlexNetDetective",
    "BnPlacement",
    "Convolution",
    "Dropout",
    "OutputSize",
    "Parameters",
    "Pattern",
    "Pooling",
    "ReceptiveField",
]


def __getattr__(name: str) -> Any:
    for module, widget in WIDGETS.items():
        if widget == name:
            return getattr(importlib.import_module(f"cnnlib.widgets.{module}"), name)
    raise AttributeError(f"cnnlib.widgets has no {name!r}: it has {', '.join(WIDGETS.values())}.")


def __dir__() -> list[str]:
    return sorted([*globals(), *WIDGETS.values()])
