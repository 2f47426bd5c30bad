"""The sandbox's first process: imports what is slow, once, and forks a fresh process for each submission.

No student's code ever runs here. A fork gets namespaces of its own for processes, mounts and shared
memory, empty folders to write to, limits, a filter of system calls, and loses every privilege before
the first cell runs. Requests come over the descriptor that is the first argument, one JSON line each.
"""

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
from typing import Any

sys.path[:0] = ["/grader", *sys.argv[2].split(":")]

import cells  # noqa: E402
import pyseccomp  # noqa: E402
import stand_ins  # noqa: E402
import system_calls  # noqa: E402

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_MOUNTS, _NEW_PROCESSES, _NEW_IPC, _NEW_NETWORK = 0x00020000, 0x20000000, 0x08000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _REC, _PRIVATE = 2, 4, 8, 16384, 1 << 18


def _must(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    kind_bytes = kind.encode() if kind else None
    _must(
        _LIBC.mount(source.encode(), target.encode(), kind_bytes, flags, data.encode()),
        f"mount {target}",
    )


def _drop_privileges() -> None:
    for capability in range(64):
        if _LIBC.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP
            break
    _LIBC.prctl(47, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _must(_LIBC.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _must(_LIBC.prctl(38, 1, 0, 0, 0), "no_new_privs")


def _filter() -> bytes:
    """A program for the kernel that denies what no notebook needs; a namespace flag of clone too."""
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(1)
    for name in system_calls.REFUSED:
        try:
            rules.add_rule(pyseccomp.ERRNO(38) if name == "clone3" else refuse, name)
        except (ValueError, OSError, RuntimeError):
            continue  # this machine or this library has no such call
    new_user = 0x10000000
    rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, new_user, new_user))
    rules.add_rule(
        refuse, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, 0x5412)
    )  # TIOCSTI
    # sockets of other families than unix, inet, inet6 and netlink know no network namespaces
    rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.GT, 16))
    for family in range(3, 16):
        if family != 10:
            rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    for order in (
        6,
        7,
        37,
        38,
        1024,
        1026,
    ):  # locks, leases, notes: two processes could talk by them
        rules.add_rule(refuse, "fcntl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, order))
    with os.fdopen(os.memfd_create("filter"), "rb") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _load(program: bytes) -> None:
    class Program(ctypes.Structure):  # sock_fprog of linux/filter.h
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    loaded = Program(len(program) // 8, program)
    _must(
        _LIBC.prctl(22, 2, ctypes.byref(loaded), 0, 0), "seccomp"
    )  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def _limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def _student(channel: socket.socket, order: dict, shell: object) -> None:
    """In the fork: shut every door, then serve."""
    size = order["home_bytes"]
    _mount("none", "/", None, _REC | _PRIVATE)
    for folder in ("/home/student", "/tmp", "/dev/shm"):
        _mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV, f"size={size},nr_inodes=20000,mode=700")
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    channel.set_inheritable(False)
    keep = channel.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, 4096)
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    os.sched_setaffinity(0, {order["core"]})  # beside the grader, see session.py
    os.nice(5)  # who waits for an answer comes first
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # where the machine's memory ends, this goes and not the grader
    _limit(order["limits"])
    _drop_privileges()
    _load(order["filter"])
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in [*os.environ]:
        if name not in ("HOME", "PATH", "LANG", "LD_LIBRARY_PATH") and not name.endswith(
            "_NUM_THREADS"
        ):
            del os.environ[name]
    cells.serve(channel, shell)


def _start(order: dict, descriptor: int, control: socket.socket, shell: object) -> tuple[int, int]:
    """Fork twice: a new process namespace begins with the children of who asked for it.

    Returns the process that waits, and the student's own, the first of its namespace.
    """
    there, here = os.pipe()
    first = os.fork()
    if first:
        os.close(descriptor)
        os.close(here)
        with os.fdopen(there) as told:
            return first, int(told.read() or 0)
    status = 1
    try:
        control.close()
        os.setsid()  # or a signal to its process group would reach this box's own processes
        _must(_LIBC.unshare(_NEW_MOUNTS | _NEW_PROCESSES | _NEW_IPC | _NEW_NETWORK), "unshare")
        inner = os.fork()
        if inner == 0:
            try:
                _student(socket.socket(fileno=descriptor), order, shell)
            finally:
                os._exit(70)
        os.close(descriptor)
        os.write(here, str(inner).encode())
        os.close(here)
        _, result = os.waitpid(inner, 0)
        status = 128 + os.WTERMSIG(result) if os.WIFSIGNALED(result) else os.WEXITSTATUS(result)
    finally:
        os._exit(status)


def _kill(inner: int) -> None:
    if inner:
        with contextlib.suppress(ProcessLookupError):
            os.kill(inner, signal.SIGKILL)


def _end(waiting: int, inner: int) -> int:
    """Kill the student's process, and with it its namespace; how it ended. 0 for `inner`: it is killed already."""
    _kill(inner)
    _, result = os.waitpid(waiting, 0)
    return os.waitstatus_to_exitcode(result)


def _show_an_error(shell: Any) -> None:
    """The first takes long, as it imports much and looks for the file of every module; a fork need not."""
    shell.run_cell("raise ValueError", store_history=False)
    cells.OUTPUTS.reset()
    del sys.last_type, sys.last_value, sys.last_traceback


def _use_torch() -> None:
    """Its first convolutions load libraries and make code for this processor; a fork has them already.

    No random number is drawn, and one thread does it all: threads do not come along into a fork.
    """
    from torch import float32, float64, nn, no_grad, ones

    for dtype in (float32, float64):
        x, kernel, each = (ones(*n, dtype=dtype) for n in ((2, 3, 8, 8), (3, 3, 3, 3), (3,)))
        with no_grad():
            maps = nn.functional.conv2d(x, kernel, padding=1)
            maps = nn.functional.batch_norm(maps, each, each, training=False)
            maps = nn.functional.max_pool2d(maps.relu(), 2)
            nn.functional.linear(maps.flatten(1), maps.flatten(1))


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    order = json.loads(sys.argv[3])
    stand_ins.install(tuple(order["absent"]), tuple(order["present"]))
    for name in order["imports"]:
        __import__(name)
    shell = cells.warm_shell()
    _show_an_error(shell)
    if "torch" in order["imports"]:
        _use_torch()
    program = _filter()
    gc.collect()
    gc.freeze()
    control.sendall(b'{"ready": true}\n')
    while True:
        line, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not line:
            os._exit(0)
        request = json.loads(line)
        answer: dict[str, object] = {}
        if request["do"] == "start":
            order = {**request, "filter": program}
            answer["processes"] = _start(order, descriptors[0], control, shell)
        elif request["do"] == "kill":
            _kill(request["processes"][1])
        else:  # "end"
            answer["status"] = _end(*request["processes"])
        control.sendall(json.dumps(answer).encode() + b"\n")


main()
