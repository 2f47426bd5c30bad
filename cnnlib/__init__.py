"""CNN Building Blocks: the shared library of the course."""

__version__ = "0.1.0"
