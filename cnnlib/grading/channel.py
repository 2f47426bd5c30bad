"""The socket to a student's process, which is waited for until a deadline and no longer."""

import contextlib
import socket
import struct
import time

__all__ = ["Channel"]

_LOOK = 0.02
"""Seconds after which a wait looks at the clock. The kernel ends the wait, so no call asks it first."""


class Channel:
    """Reads and writes a socket as its own methods would, but not beyond `deadline`.

    Parameters
    ----------
    channel : socket.socket
        The near end of the pair.
    deadline : float
        A time of ``time.monotonic``. It may be set anew before each use.

    Raises
    ------
    TimeoutError
        By `recv` and `sendall`, where they are not done by the deadline.
    """

    def __init__(self, channel: socket.socket, deadline: float = 0.0) -> None:
        self.deadline = deadline
        self._socket = channel
        look = struct.pack("@ll", 0, int(1e6 * _LOOK))
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            channel.setsockopt(socket.SOL_SOCKET, way, look)

    def recv(self, most: int) -> bytes:
        """What is there to read, at most so many bytes; none if the other side is gone."""
        while time.monotonic() < self.deadline:
            with contextlib.suppress(BlockingIOError):
                return self._socket.recv(most)
        raise TimeoutError

    def sendall(self, content: bytes) -> None:
        """Send it all."""
        rest = memoryview(content)
        while rest:
            if time.monotonic() >= self.deadline:
                raise TimeoutError
            with contextlib.suppress(BlockingIOError):
                rest = rest[self._socket.send(rest) :]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
