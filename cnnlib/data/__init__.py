"""Data that the course comes with, and data that it fetches."""

from cnnlib.data.photograph import photograph

__all__ = ["photograph"]
