"""How files of students come in: from the exchange's inbound folder, and beside a notebook.

In ``inbound`` a student may make anything: a link to a file that only the instructor can read, a folder in
another student's name, a pipe at which a reader waits for ever. nbgrader's ``collect`` follows links, warns of
another owner and copies all the same, and one bad name ends the collecting for the whole class.
"""

import logging
import os
import pwd
import stat
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

__all__ = ["CarefulCollect", "date_of", "drop_strange_files", "keep_what_feedback_needs"]

DEEPEST, MOST_FILES = 8, 1_000
"""Folders in one another, and files, of one submission."""
_LOG = logging.getLogger(__name__)


def date_of(text: str) -> datetime | None:
    """When a submission says that it was handed in, in UTC; None if that is no date.

    >>> date_of("2026-11-30 10:00:00 UTC")
    datetime.datetime(2026, 11, 30, 10, 0)
    >>> date_of("yesterday")
    """
    try:
        return parse_utc(text.strip()) if len(text) <= 100 else None
    except (ValueError, OverflowError):
        return None


# --- the exchange -------------------------------------------------------------------------------


class CarefulCollect(ExchangeCollect):
    """``nbgrader collect`` that follows no link, keeps to each student's own, and does not stop half way."""

    def init_src(self) -> None:
        super().init_src()
        chosen: list[dict[str, Any]] = self.src_records  # type: ignore[has-type]
        self.src_records = [record for record in chosen if record["username"]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        name = os.path.basename(path)
        if why := self._why_not(path):
            self.log.warning("%r is not collected: %s", name, why)
            return {"username": "", "filename": name, "timestamp": datetime.min}
        return super()._path_to_record(path)

    def _why_not(self, path: str) -> str:
        """What is wrong with a folder in inbound; "" if nothing is."""
        student, *rest = os.path.basename(path).rsplit("+", 3)
        if not student or not student.isprintable():
            return "no student has such a name"
        if len(rest) < 2 or date_of(rest[1]) is None:
            return "its name holds no date"
        facts = os.lstat(path)
        if not stat.S_ISDIR(facts.st_mode):
            return f"it is {'a symbolic link' if stat.S_ISLNK(facts.st_mode) else 'no folder'}"
        if self.check_owner and facts.st_uid != _user(student, facts.st_uid):
            return (
                f"it belongs to the user with id {facts.st_uid}, not to {student}. Where all students share one "
                "user, set c.ExchangeCollect.check_owner = False"
            )
        return ""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy the regular files of a submission, each opened without following a link.

        The date in the folder's name counts; the file that holds it is the student's to write.
        """
        with tempfile.TemporaryDirectory() as clean:
            os.chmod(clean, 0o755)
            self._copy_files(src, Path(clean))
            date = os.path.basename(src).rsplit("+", 3)[2]
            Path(clean, "timestamp.txt").write_text(date, encoding="utf-8")
            super().do_copy(clean, dest, log)

    def _copy_files(self, src: str, clean: Path) -> None:
        left, number = 1000 * self.coursedir.max_dir_size, 0
        for folder, folders, names, descriptor in os.fwalk(src):
            inner = clean / os.path.relpath(folder, src)
            inner.mkdir(exist_ok=True)
            if len(inner.relative_to(clean).parts) >= DEEPEST:
                folders.clear()
            for name in names:
                number += 1
                if number > MOST_FILES or left <= 0:
                    self.log.warning(
                        "%r: more than %d files, or too large: the rest is left out",
                        src,
                        MOST_FILES,
                    )
                    return
                try:
                    left -= self._copy(name, descriptor, inner / name, left)
                except OSError as error:
                    linked = os.path.islink(os.path.join(folder, name))
                    why = "a symbolic link" if linked else error.strerror or error
                    self.log.warning("%r is left out: %s", os.path.join(folder, name), why)

    def _copy(self, name: str, folder: int, target: Path, most: int) -> int:
        """Copy one file; how many bytes it has."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as source:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError("no regular file")
            if self.check_owner and facts.st_uid != os.fstat(folder).st_uid:
                raise OSError("a file of another user")  # by a hard link
            most = min(most, 1000 * self.coursedir.max_file_size)
            if facts.st_size > most:
                raise OSError(f"larger than {most:,} bytes")
            target.write_bytes(source.read(facts.st_size))
        return facts.st_size


def _user(name: str, otherwise: int) -> int:
    """The id of a user of this machine; `otherwise` if there is none of that name."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return otherwise


# --- beside the notebook ------------------------------------------------------------------------


def drop_strange_files(*, notebooks: Sequence[str], **_: Any) -> None:
    """Before autograding: take out of a submission's folder what must not be opened.

    nbgrader copies every file beside a notebook, through links too, and ends its run where a date is none. A
    notebook that is a link stays, to be refused in words (:mod:`cnnlib.grading.intake`).

    Raises
    ------
    SystemExit
        If such a file cannot be removed. nbgrader would only note an exception, and copy the file.
    """
    folder = Path(notebooks[0]).parent
    for place, _folders, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if stat.S_ISREG(mode := path.lstat().st_mode) or path.suffix == ".ipynb":
                continue
            what = f"a link to {os.readlink(path)!r}" if stat.S_ISLNK(mode) else "no regular file"
            try:
                path.parent.chmod(0o755)  # modes were copied from the student's
                path.unlink()
            except OSError as error:
                raise SystemExit(
                    f"file={str(path)!r} is {what} and cannot be removed ({error.strerror}), so nothing is graded: "
                    "remove it, or make its folder your own."
                ) from None
            _LOG.warning("%s was %s, and is removed", path, what)
    stamp = folder / "timestamp.txt"
    if stamp.exists() and not date_of(stamp.read_bytes()[:1000].decode("utf-8", "replace")):
        stamp.rename(stamp.with_suffix(".unreadable"))
        _LOG.warning("%s holds no date, and is not read", stamp)


def keep_what_feedback_needs(*, notebooks: Sequence[str], **_: Any) -> None:
    """Before feedback: remove the copies of other files of a student's, which it would hold beside ours."""
    folder = Path(notebooks[0]).parent
    for path in [*folder.rglob("*")]:
        kept = path.suffix == ".ipynb" or path.name in ("timestamp.txt", "submission_secret.txt")
        if not kept and (path.is_symlink() or not path.is_dir()):
            path.unlink()
