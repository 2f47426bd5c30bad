"""What stands in the grader for the student's functions, classes and instances, which stay over there."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnlib.grading.session import Session

__all__ = ["CallableProxy", "Proxy", "proxy"]


class Proxy:
    """An object of the student's, over there. Its attributes are asked for one by one."""

    __slots__ = ("_generation", "_kind", "_number", "_origin", "_place", "_session")
    _generation: int
    _kind: str
    _number: int
    _origin: str  # the name it has in the notebook, if it has one
    _place: str  # where it was got from, such as "ReLU.forward"
    _session: "Session"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        request = {"number": self._session.number_of(self), "attribute": name}
        return self._session.use(request, f"{self._place}.{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
            return
        request = {"number": self._session.number_of(self), "attribute": name, "set": True}
        self._session.use(request, f"{self._place}.{name}", (value,))

    def __repr__(self) -> str:
        return f"<a student's {type(self).__name__}>"


class CallableProxy(Proxy):
    """A function, a class or a method of the student's."""

    __slots__ = ()

    def __call__(self, *positional: Any, **keyword: Any) -> Any:
        return self._session.use(
            {"number": self._session.number_of(self)}, self._place, positional, keyword
        )

    @property
    def remote_kind(self) -> str:
        """``"class"`` or ``"function"``."""
        return self._kind

    @property
    def remote_session(self) -> "Session":
        """Where it lives."""
        return self._session

    @property
    def remote_apart(self) -> "CallableProxy":
        """The same in the process for secret inputs, where it is looked for by its name when it is used."""
        if not self._origin:
            return self
        session, name = self._session.apart(), type(self).__name__
        other = proxy(session, 0, self._kind, name, self._origin, self._place)
        other._generation = -1
        return other

    @property
    def remote_place(self) -> str:
        """What it is called where a process ends in it."""
        return self._place


def proxy(session: "Session", number: int, kind: str, name: str, origin: str, place: str) -> Any:
    """What stands here for an object over there.

    Parameters
    ----------
    session : Session
        Where it lives.
    number : int
        What it is called by in the process of now.
    kind : str
        ``"class"``, ``"function"`` or another.
    name : str
        Of its type: all that a check tells a student about it.
    origin : str
        The name that it has in the notebook, if it has one.
    place : str
        What it is called where a process ends in it.
    """
    known = "".join(sign for sign in name if sign.isprintable()) or "object"
    base = CallableProxy if kind in ("class", "function") else Proxy
    made: Any = object.__new__(type(known, (base,), {"__slots__": ()}))
    made._session, made._number, made._kind = session, number, kind
    made._origin, made._place = origin, place[:200]
    made._generation = session.generation
    return made
