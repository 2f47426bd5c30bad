"""What the tests of grading share."""

import logging

import pytest


@pytest.fixture
def heard(monkeypatch, caplog):
    """What nbgrader's steps log, also after an application has run in this process and keeps its log to itself."""
    monkeypatch.setattr("traitlets.log.get_logger", lambda: logging.getLogger("heard"))
    return caplog
