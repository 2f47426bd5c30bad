"""The course's settings for nbgrader: call :func:`configure` from ``nbgrader_config.py``."""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

__all__ = ["configure"]


def configure(c: Any, course: Path, *, course_id: str = "cnn") -> None:
    """Set nbgrader up for this course.

    Parameters
    ----------
    c : traitlets.config.Config
        What ``get_config()`` gives in ``nbgrader_config.py``.
    course : Path
        The folder with ``source``, ``submitted``, ``autograded``, …, the gradebook and the secret seed.
    course_id : str
        nbgrader's name of the course, part of the exchange's paths.
    """
    import nbgrader
    from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor
    from nbgrader import preprocessors as theirs
    from sqlalchemy.exc import SAWarning

    from cnnlib.grading import feedback, intake
    from cnnlib.grading import preprocessors as ours

    _find_programs()
    # nbgrader's own use of its database: nothing that a user could change, and pages of it
    warnings.filterwarnings("ignore", category=SAWarning, module=r"nbgrader\.")
    c.CourseDirectory.root = str(course)
    c.CourseDirectory.course_id = course_id
    c.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"

    c.ClearSolutions.text_stub = "*Your answer here.*"
    # the question of a written answer carries its marking scheme; nbgrader expects them in tasks only
    c.ClearMarkScheme.enforce_metadata = False

    # by name, as they need a Unix system, and the rest of this works on others
    c.ExchangeFactory.collect = "cnnlib.grading.collecting.CarefulCollect"
    c.Autograde.pre_convert_hook = "cnnlib.grading.collecting.drop_strange_files"
    c.GenerateFeedback.pre_convert_hook = "cnnlib.grading.collecting.keep_what_feedback_needs"

    c.Autograde.exporter_class = intake.CarefulExporter
    c.Autograde.sanitize_preprocessors = [
        theirs.ClearOutput,
        ours.RestoreCells,  # before all that reads ids and metadata
        theirs.DeduplicateIds,
        theirs.OverwriteKernelspec,
        theirs.OverwriteCells,
        theirs.CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        ours.ExecuteInSandbox,  # in place of Execute
        theirs.IgnorePattern,
        ClearMetadataPreprocessor,
        theirs.LimitOutput,
        ours.HonestMarks,  # after the outputs are final, before SaveAutoGrades reads them
        theirs.SaveAutoGrades,
        theirs.AssignLatePenalties,
        theirs.CheckCellMetadata,
    ]
    c.ExecuteInSandbox.cell_seconds = 30.0
    c.ExecuteInSandbox.total_seconds = 300.0
    c.ExecuteInSandbox.seed_file = str(course / "grading_seed")

    c.GenerateFeedback.preprocessors = [
        feedback.CleanFeedback,
        theirs.GetGrades,
        CSSHTMLHeaderPreprocessor,
    ]
    c.HTMLExporter.extra_template_basedirs = [
        str(Path(__file__).parent / "templates"),  # ours first
        str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
    ]
    c.HTMLExporter.filters = {"markdown2html": feedback.safe_markdown}


def _find_programs() -> None:
    """nbgrader starts `alembic` by name: find it also where the environment is not activated."""
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    if programs not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, [programs, path]))
