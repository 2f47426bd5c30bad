"""Where the farm's work is done: processes of this machine, or a dask cluster at an address."""

import contextlib
import importlib.util
import logging
import os
from collections.abc import Iterator

import dask
from distributed import Client, LocalCluster
from distributed.security import Security

import cnnlib
from cnnlib.errors import CnnlibError

__all__ = ["TRIES", "FarmError", "connected", "cores"]

TRIES = 3
"""How many workers may die with a submission at hand before it has to wait for its turn alone."""


class FarmError(CnnlibError):
    """The farm cannot grade; results that were there are kept."""


@contextlib.contextmanager
def connected(workers: int, scheduler: str = "") -> Iterator[Client]:
    """A client of the cluster at an address, or of one that is made here, with so many processes.

    The cluster made here listens on this machine alone, and takes orders from nobody else where the package
    cryptography is installed: the keys are made for this run.

    Raises
    ------
    FarmError
        If there are to be no workers, if nobody answers at the address, or if the workers there have
        another cnnlib.
    """
    if workers < 1 and not scheduler:
        raise FarmError(
            f"workers={workers} is less than 1: give as many as you have cores, or none."
        )
    quiet = {
        "distributed.scheduler.allowed-failures": TRIES - 1,
        "distributed.admin.large-graph-warning-threshold": "1GB",
        "distributed.comm.timeouts.connect": "20s",
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(quiet))
        if scheduler:
            try:
                client = stack.enter_context(Client(scheduler, timeout=20))
            except (OSError, ValueError) as error:
                raise FarmError(
                    f"scheduler={scheduler!r} does not answer ({str(error)[:200]}): start one with 'dask scheduler' "
                    "and workers with 'dask worker ADDRESS --nthreads 1'."
                ) from None
            _same_version(client)
        else:
            private = importlib.util.find_spec("cryptography") is not None
            security = Security.temporary() if private else Security()
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                memory_limit=0,
                security=security,
                silence_logs=logging.CRITICAL,
            )
            client = stack.enter_context(Client(stack.enter_context(cluster)))
        yield client


def _version() -> str:
    return cnnlib.__version__


def _same_version(client: Client) -> None:
    try:
        there = client.run(_version)
    except Exception as error:
        raise FarmError(
            f"a worker cannot import cnnlib ({error}): install this course with its extra [grading] there."
        ) from None
    for worker, version in there.items():
        if version != _version():
            raise FarmError(
                f"worker {worker} has cnnlib {version}, and here it is {_version()}: install the same there."
            )


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))
