"""Grade a class on many processes, here or on a cluster: dask.distributed hands out, one writer collects.

A worker is a process with one thread and a warm box of its own. What a killed worker had at hand goes to another.
A submission whose workers keep dying is tried once more when all others are done and nothing runs beside it;
if that fails too it is *quarantined*: it has no marks and waits for a person. Every few results are written at
once, so a killed coordinator loses seconds of work, and the next run goes on from there.
"""

import contextlib
import fcntl
import queue
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, Future
from distributed.scheduler import KilledWorker
from nbgrader.coursedir import CourseDirectory
from tqdm import tqdm

from cnnlib.grading.cluster import FarmError, connected
from cnnlib.grading.handed import Handed, handed_in
from cnnlib.grading.marking import Graded, Submission, mark_submission, set_aside
from cnnlib.grading.results import Ledger
from cnnlib.grading.sandbox import SandboxError

__all__ = ["FarmError", "Handed", "Work", "connected", "grade_all", "grade_assignment", "handed_in"]

EVERY = 64
"""Results that are written at once, at the latest after `SECONDS`."""
SECONDS = 2.0
PATIENCE = 60.0
"""Seconds that the farm may be without a worker."""

Task = Callable[[Submission, str, str, dict[str, float]], Graded]


@dataclass(frozen=True)
class Work:
    """What is to be graded, and how.

    Attributes
    ----------
    submissions : sequence of Handed
        All that is to be done.
    releases : dict
        Of :func:`cnnlib.grading.marking.pack`, by notebook.
    seed : str
        The secret seed.
    limits : dict
        Of a session.
    task : callable
        What a worker does; :func:`cnnlib.grading.marking.mark_submission`.
    """

    submissions: Sequence[Handed]
    releases: dict[str, str]
    seed: str
    limits: dict[str, float] = field(default_factory=dict)
    task: Task = mark_submission


# --- handing out and collecting -----------------------------------------------------------------


def grade_all(client: Client, work: Work, write: Callable[[list[Graded]], None]) -> None:
    """Grade all submissions of `work`; `write` gets the results, a few at a time, in any order.

    Raises
    ------
    FarmError
        If no worker is left for `PATIENCE` seconds, or the scheduler is gone.
    SandboxError
        If a barrier of a worker's box does not hold.
    """
    suspects = _rounds(client, work, work.submissions, write)
    for one in suspects:  # with nothing beside it, a worker that dies dies of it
        words = _rounds(client, work, [one], write)
        if words:
            release = work.releases[one.notebook]
            write([set_aside(one.read(), release, "quarantined", words[one])])


def _rounds(
    client: Client,
    work: Work,
    submissions: Sequence[Handed],
    write: Callable[[list[Graded]], None],
) -> dict[Handed, str]:
    """Hand out, collect and write; those that could not be graded, and why."""
    run = uuid.uuid4().hex[:8]
    left = iter(enumerate(submissions))
    at_hand: dict[Future, Handed] = {}
    done: queue.SimpleQueue[Future] = queue.SimpleQueue()
    failed: dict[Handed, str] = {}
    ready: list[Graded] = []
    written, room = time.monotonic(), 0
    try:
        while True:
            room = room if len(at_hand) > room // 2 else _room(client)
            while len(at_hand) < room and (following := next(left, None)):
                number, one = following
                future = client.submit(
                    *(work.task, one.read(), work.releases[one.notebook], work.seed, work.limits),
                    key=f"grade-{run}-{number}",
                    pure=False,
                    retries=1,
                )
                at_hand[future] = one
                future.add_done_callback(done.put)
            if not at_hand:
                return failed
            for future in _finished(client, done):
                one = at_hand.pop(future)
                result = _result(future)
                if isinstance(result, Graded):
                    ready.append(result)
                else:
                    failed[one] = result
            if len(ready) >= EVERY or time.monotonic() > written + SECONDS:
                write(ready)
                ready, written = [], time.monotonic()
    finally:
        if ready:
            write(ready)
        client.cancel(list(at_hand))


def _room(client: Client) -> int:
    """How many tasks to have out: enough that no worker waits, few enough to hold in memory."""
    return 4 * max(1, sum(client.nthreads().values()))


def _finished(client: Client, done: "queue.SimpleQueue[Future]") -> list[Future]:
    """Wait for one and take what else is there; give up when nobody is left who could finish one."""
    last_seen = time.monotonic()
    while True:
        try:
            found = [done.get(timeout=5.0)]
        except queue.Empty:
            if client.status != "running":
                raise FarmError(
                    "the scheduler is gone: start it again and run the same command again, which goes on from here."
                ) from None
            if client.nthreads():
                last_seen = time.monotonic()
            elif time.monotonic() > last_seen + PATIENCE:
                raise FarmError(
                    f"no worker has been there for {PATIENCE:.0f} s: start workers with 'dask worker ADDRESS "
                    "--nthreads 1' and run the same command again, which goes on from here."
                ) from None
            continue
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(done.get_nowait())
        return found


def _result(future: Future) -> Graded | str:
    """What a task gave, or in words why it gave nothing."""
    try:
        return future.result(timeout=60)
    except KilledWorker as error:
        return f"{error.allowed_failures + 1} processes of the grader ended while they graded it"
    except SandboxError:
        raise
    except Exception as error:
        if future.status in ("cancelled", "lost"):
            raise FarmError(
                "the scheduler has dropped a task: run the same command again, which goes on from here."
            ) from None
        return f"the grader stopped with {type(error).__name__}: {str(error)[:200]}"


# --- an assignment ------------------------------------------------------------------------------


def grade_assignment(
    coursedir: CourseDirectory,
    assignment: str,
    seed: str,
    *,
    workers: int = 1,
    scheduler: str = "",
    again: bool = False,
    limits: dict[str, float] | None = None,
    task: Task = mark_submission,
    show: bool = True,
) -> list[dict[str, Any]]:
    """Grade what was handed in and has no result yet; the rows of all results.

    Parameters
    ----------
    coursedir : CourseDirectory
        nbgrader's: folders and gradebook.
    assignment : str
        Its name.
    seed : str
        The secret seed of the checks' inputs.
    workers : int
        How many processes, where there is no scheduler.
    scheduler : str
        A cluster's address, such as ``tcp://127.0.0.1:8786``.
    again : bool
        Grade all anew, also what has a result.
    limits : dict, optional
        Of a session.
    task : callable
        What a worker does with a submission.
    show : bool
        A progress bar with rate and estimate.

    Raises
    ------
    FarmError, GradebookError, SandboxError
        If nothing can be graded, or not all; what was graded is kept.
    """
    with (
        _the_only_one(Path(coursedir.root)),
        Ledger(coursedir, assignment, seed, again=again) as book,
    ):
        all_of_them = handed_in(coursedir, assignment, list(book.notebooks))
        if not all_of_them:
            place = coursedir.format_path(coursedir.submitted_directory, "*", assignment)
            raise FarmError(
                f"nobody has handed in {assignment!r}: there is no folder {place}. Run 'nbgrader collect' or "
                "'nbgrader zip_collect' first."
            )
        left = book.left(all_of_them)
        releases = {name: notebook.release for name, notebook in book.notebooks.items()}
        work = Work(left, releases, seed, limits or {}, task)
        with tqdm(
            total=len(all_of_them),
            initial=len(all_of_them) - len(left),
            desc=assignment,
            unit=" submissions",
            disable=not show,
            smoothing=0.1,
        ) as bar:

            def write(results: list[Graded]) -> None:
                book.record(results)
                bar.update(len(results))

            if left:
                with connected(workers, scheduler) as client:
                    grade_all(client, work, write)
        return current(coursedir, book)


def current(coursedir: CourseDirectory, book: Ledger) -> list[dict[str, Any]]:
    """The results of what is handed in now; those of earlier submissions stay in the table."""
    there = handed_in(coursedir, book.assignment, list(book.notebooks))
    wanted = {(one.student, one.notebook): one.digest for one in there}
    return [
        row
        for row in book.rows()
        if wanted.get((row["student"], row["notebook"])) == row["submission"]
    ]


@contextlib.contextmanager
def _the_only_one(course: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process, however that ends."""
    with open(course / ".grading.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FarmError(
                f"another run is grading in {course}: wait until it is done, or end it."
            ) from None
        yield
