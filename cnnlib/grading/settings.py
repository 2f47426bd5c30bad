"""The course's settings for nbgrader: call :func:`configure` from ``nbgrader_config.py``."""

import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["configure"]

_TAGS = """
    a b blockquote br caption code details div em h1 h2 h3 h4 h5 h6 hr i li ol p pre span strong sub
    summary sup table tbody td th thead tr ul
""".split()  # noqa: SIM905
_ATTRIBUTES = {
    "*": ["style"],
    "a": ["href", "title"],
    "th": ["scope", "colspan", "rowspan"],
    "td": ["colspan", "rowspan"],
}
_STYLES = """
    align-items background-color border border-collapse border-left color display flex-wrap font-size
    font-weight gap margin margin-top max-width padding text-align vertical-align white-space
""".split()  # noqa: SIM905


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
    from nbconvert.preprocessors.sanitize import SanitizeHTML
    from nbgrader import preprocessors as theirs

    from cnnlib.grading import preprocessors as ours

    _find_programs()
    c.CourseDirectory.root = str(course)
    c.CourseDirectory.course_id = course_id
    c.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"

    c.ClearSolutions.text_stub = "*Your answer here.*"
    # the question of a written answer carries its marking scheme; nbgrader expects them in tasks only
    c.ClearMarkScheme.enforce_metadata = False

    c.Autograde.sanitize_preprocessors = [
        theirs.ClearOutput,
        ours.RestoreCells,  # before all that reads ids and metadata
        theirs.DeduplicateIds,
        theirs.OverwriteKernelspec,
        theirs.OverwriteCells,
        theirs.CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        ours.ExecuteToTheEnd,  # in place of Execute
        theirs.IgnorePattern,
        ClearMetadataPreprocessor,
        theirs.LimitOutput,
        ours.HonestMarks,  # after the outputs are final, before SaveAutoGrades reads them
        theirs.SaveAutoGrades,
        theirs.AssignLatePenalties,
        theirs.CheckCellMetadata,
    ]
    c.ExecuteToTheEnd.timeout = 30
    c.ExecuteToTheEnd.extra_arguments = ["--IPKernelApp.log_level=ERROR"]  # no note on each start
    c.ExecuteToTheEnd.seed_file = str(course / "grading_seed")

    c.GenerateFeedback.preprocessors = [
        ours.CleanFeedback,
        theirs.GetGrades,
        CSSHTMLHeaderPreprocessor,
        SanitizeHTML,  # a student's script must not run in the reader's browser
    ]
    c.HTMLExporter.extra_template_basedirs = [
        str(Path(__file__).parent / "templates"),  # ours first
        str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
    ]
    c.SanitizeHTML.tags = _TAGS
    c.SanitizeHTML.attributes = _ATTRIBUTES
    c.SanitizeHTML.styles = _STYLES
    c.SanitizeHTML.safe_output_keys = {"metadata", "text/plain", "image/png", "image/jpeg"}


def _find_programs() -> None:
    """nbgrader starts `alembic` by name: find it also where the environment is not activated."""
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    if programs not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, [programs, path]))
