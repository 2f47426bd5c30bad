"""Chromium as the tests and the PDF use it: headless, quiet, asking no other machine anything."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Where the system's Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright, path: str):
    """A browser; Chromium's own sandbox is off only where it cannot be on, for root."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return playwright.chromium.launch(
        executable_path=path,
        args=[*QUIET, *(["--no-sandbox"] if root else [])],
        chromium_sandbox=not root,
    )
