"""nbgrader's settings for this course: `make grade` and every plain `nbgrader` command here use them."""

from pathlib import Path

from cnnlib.grading.settings import configure

configure(get_config(), Path(__file__).resolve().parent / "classroom")  # noqa: F821
