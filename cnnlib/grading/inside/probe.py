"""Try to break each barrier of the sandbox, from where a student's code would."""

import ctypes
import os
import resource
import socket
import stat
from typing import Any

__all__ = ["probe"]

FEW = 4
"""Processes and threads that a notebook may need."""


def _network(port: int) -> str:
    for address in (("1.1.1.1", 53), ("127.0.0.1", port)):
        try:
            with socket.create_connection(address, timeout=0.5):
                return f"it reached {address[0]}"
        except OSError:
            continue
    others = [name for _, name in socket.if_nameindex() if name != "lo"]
    return f"it sees the network card {others[0]}" if others else ""


def _files(hidden: list[str]) -> str:
    for folder in (
        "/",
        "/usr",
        "/etc",
        "/dev",
        "/packages",
        "/course",
        "/grader",
        "/python",
        "/proc/sys/kernel",
    ):
        path = os.path.join(folder, "written-by-probe")
        try:
            with open(path, "w"):
                return f"{folder} can be written to"
        except OSError:
            continue
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            place, kind, options = line.split()[1:4]
            if (
                place not in ("/home/student", "/tmp", "/dev/shm")
                and kind not in ("proc", "devpts", "devtmpfs", "mqueue")
                and "ro" not in options.split(",")
                and not stat.S_ISCHR(os.stat(place).st_mode)
            ):
                return f"{place} can be written to"
    for path in hidden:
        if os.path.lexists(path):
            return f"{path} can be seen"
    try:
        with open("/home/student/large", "wb") as file:
            for _ in range(4096):
                file.write(b"\0" * (1 << 20))
        return "a file of 4 GiB could be written"
    except OSError:
        pass
    finally:
        if os.path.exists("/home/student/large"):
            os.unlink("/home/student/large")
    return ""


def _processes() -> str:
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if len(seen) > 2:
        return f"it sees {len(seen)} processes"
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if not 0 <= limit <= 4096:
        return "processes have no limit"
    children = []
    try:
        for _ in range(limit + 20):
            pid = os.fork()
            if pid == 0:
                while True:
                    __import__("time").sleep(10)
            children.append(pid)
        return f"{len(children)} processes could be started"
    except OSError:
        if len(children) < FEW:
            return f"only {len(children)} processes can be started, so this user's others count too"
        return ""
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def _memory() -> str:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return "memory has no limit"
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    got = libc.mmap(None, ctypes.c_size_t(limit), 3, 0x4022, -1, ctypes.c_long(0))
    return "" if got in (None, ctypes.c_void_p(-1).value) else f"{limit} bytes could be had"


def _privileges() -> str:
    if os.getuid() == 0 or os.geteuid() == 0:
        return "it runs as root"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
        return "it can mount"
    if libc.unshare(0x10000000) == 0:
        return "it can make a user namespace"
    with open("/proc/self/status") as status:
        facts = dict(line.split(":", 1) for line in status)
    for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        if int(facts[name], 16):
            return f"it holds capabilities ({name})"
    return "" if facts["NoNewPrivs"].strip() == "1" else "it could gain privileges"


def _calls() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(0, 0, None, None) == 0:
        return "ptrace works"
    with open("/proc/self/status") as status:
        filtered = "Seccomp:\t2" in status.read()
    return "" if filtered else "system calls are not filtered"


def _descriptors() -> str:
    allowed = {0, 1, 2}
    others = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the one that lists the folder
        if int(name) not in allowed:
            others.append(target)
    sockets = [t for t in others if t.startswith("socket:")]
    strange = [t for t in others if not t.startswith(("socket:", "/proc/", "anon_inode:"))]
    if len(sockets) > 1 or strange:
        return f"it inherited {', '.join(strange) or 'another socket'}"
    return ""


def _environment() -> str:
    known = {"HOME", "PATH", "LANG", "LD_LIBRARY_PATH"}
    for name in os.environ:
        if (
            name not in known
            and not name.endswith("_NUM_THREADS")
            and name not in ("LINES", "COLUMNS")
        ):
            return f"the variable {name} came along"
    return ""


def probe(hidden: list[str], port: int) -> dict[str, Any]:
    """For each barrier what got through; "" where it held.

    `hidden` are files of this machine, on `port` of its loopback somebody listens.
    """
    return {
        "network": _network(port),
        "files": _files(hidden),
        "processes": _processes(),
        "memory": _memory(),
        "privileges": _privileges(),
        "system calls": _calls(),
        "descriptors": _descriptors(),
        "environment": _environment(),
    }
