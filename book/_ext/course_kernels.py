"""Give the kernels that execute the pages what the pages need.

Pages import their figures from ``book/figures``, so ``book/`` goes on the kernels' path; and
matplotlib must not look for a screen.
"""

import os
from pathlib import Path

BOOK = Path(__file__).parents[1]


def setup(app):
    paths = [str(BOOK), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    return {"parallel_read_safe": True}
