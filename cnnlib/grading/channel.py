"""The socket to a student's process, which is waited for until a deadline and no longer."""

import select
import socket
import time

__all__ = ["Channel"]


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
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(channel, select.POLLIN)
        self._writable.register(channel, select.POLLOUT)

    def recv(self, most: int) -> bytes:
        """What is there to read, at most so many bytes; none if the other side is gone."""
        while True:
            self._wait(self._readable)
            try:
                return self._socket.recv(most, socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue  # something is there, but not for reading: bytes out of band

    def sendall(self, content: bytes) -> None:
        """Send it all."""
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._wait(self._writable)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _wait(self, poll: select.poll) -> None:
        while (left := self.deadline - time.monotonic()) > 0:
            if poll.poll(min(1000 * left, 60_000)):
                return
        raise TimeoutError
