"""What students handed in, as files: found by the folders of the course, read when it is its turn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from cnnlib.grading.intake import IntakeError, read_file
from cnnlib.grading.marking import Submission

__all__ = ["Handed", "handed_in"]


@dataclass(frozen=True)
class Handed:
    """A notebook that is there to be graded; its bytes are read when it is its turn."""

    student: str
    notebook: str
    path: Path
    digest: str = ""

    def read(self) -> Submission:
        """The submission, also where it has to be refused."""
        try:
            return Submission(self.student, self.notebook, read_file(self.path))
        except IntakeError as error:
            return Submission(self.student, self.notebook, b"", str(error))


def handed_in(
    coursedir: CourseDirectory, assignment: str, notebooks: Sequence[str]
) -> list[Handed]:
    """Everybody's notebooks of an assignment, in the order of the students' names.

    Parameters
    ----------
    coursedir : CourseDirectory
        nbgrader's.
    assignment : str
        Its name.
    notebooks : sequence of str
        The names of its notebooks.
    """
    root = Path(coursedir.root)
    wanted = Path(coursedir.format_path(coursedir.submitted_directory, "*", assignment))
    pattern = wanted.relative_to(root)
    number = pattern.parts.index("*")
    found = []
    for folder in sorted(root.glob(str(pattern))):
        student = folder.relative_to(root).parts[number]
        for notebook in notebooks:
            one = Handed(student, notebook, folder / f"{notebook}.ipynb")
            found.append(replace(one, digest=one.read().digest))
    return found
