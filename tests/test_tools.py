"""The scripts behind the front door: what they say when a system package is missing."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def no_apt(tmp_path):
    """A PATH with a shell and little else, so that nothing can be installed."""
    for name in ("bash", "xargs", "echo", "id", "true"):
        (tmp_path / name).symlink_to(shutil.which(name))
    return tmp_path


def system_packages(path, ci, *entries):
    return subprocess.run(
        [shutil.which("bash"), ROOT / "tools/system_packages.sh", *entries],
        env={"PATH": str(path), "CI": ci}, capture_output=True, text=True,
    )  # fmt: skip


def test_a_missing_package_is_named_and_is_a_failure_only_in_ci(no_apt):
    at_home = system_packages(no_apt, "", "no-such-program:some-package", "true")
    assert at_home.returncode == 0
    assert "sudo apt-get install some-package" in at_home.stderr
    assert "skipped" in at_home.stderr
    assert system_packages(no_apt, "true", "no-such-program:some-package").returncode == 1


def test_nothing_is_said_when_all_is_there(no_apt):
    done = system_packages(
        no_apt, "true", "true", "shell:bash:command -v nothing || command -v bash"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_test_that_needs_a_missing_program_skips_with_the_remedy_or_fails_in_ci(
    monkeypatch, required_tool
):
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="sudo apt-get install some-package"):
        required_tool("no-such-program", "some-package")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must have every system package"):
        required_tool("no-such-program", "some-package")
    assert required_tool("no-such-program", "some-package", "bash") == shutil.which("bash")
