"""Compare the layers of cnnlib with torch and print a table: ``make bench``.

Each layer family has a module beside this one with a function ``cases()`` that yields
:class:`timing.Case`. To measure a part: ``python benchmarks/layers.py conv``.
"""

import importlib
import sys

import timing

FAMILIES = ("conv", "pool", "pointwise", "step", "training", "numpy_ml", "diagram")


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(FAMILIES)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(FAMILIES)}")
        return 2
    timing.run_fairly()
    timing.print_conditions()
    missed = timing.report(
        case
        for family in FAMILIES
        if not wanted or family in wanted
        for case in importlib.import_module(f"{family}_cases").cases()
    )
    print(f"\n{missed or 'no'} target{'s' if missed != 1 else ''} missed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
