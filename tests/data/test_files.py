"""Files that are kept: written whole or not at all, and made again where one is damaged."""

import logging

import numpy as np
import pytest

from cnnlib.data.files import cache_folder, cached_arrays, write_whole
from cnnlib.errors import DataError


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "new" / "text.txt"
    write_whole(path, lambda part: part.write_text("first"))

    def break_off(part):
        part.write_text("sec")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, break_off)
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["text.txt"]


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError) as error:
        write_whole(tmp_path / "file" / "x.txt", lambda part: part.write_text(""))
    assert f"path='{tmp_path}/file/x.txt' cannot be written to (" in str(error.value)
    assert "give a path in a folder that can be" in str(error.value)


@pytest.mark.parametrize("damage", ["half", "bit", "words", "empty"])
def test_a_damaged_file_is_noticed_and_made_anew(tmp_path, caplog, damage):
    path, calls = tmp_path / "kept.npz", []

    def make():
        calls.append(1)
        return {"a": np.arange(1000), "b": np.ones((2, 3), np.float32)}

    first = cached_arrays(path, make)
    second = cached_arrays(path, make)
    assert len(calls) == 1
    whole = bytearray(path.read_bytes())
    flipped = whole.copy()
    flipped[400] ^= 1
    path.write_bytes(
        {"half": whole[: len(whole) // 2], "bit": flipped, "words": b"no", "empty": b""}[damage]
    )
    with caplog.at_level(logging.WARNING, "cnnlib.data.files"):
        third = cached_arrays(path, make)
    assert len(calls) == 2
    assert "is damaged" in caplog.text
    assert path.read_bytes() == bytes(whole)  # mended
    for arrays in (second, third):
        assert arrays.keys() == first.keys()
        assert all(np.array_equal(arrays[name], first[name]) for name in first)


def test_where_nothing_can_be_kept_the_arrays_come_all_the_same(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    made = cached_arrays(tmp_path / "file" / "kept.npz", lambda: {"a": np.arange(3)})
    assert made["a"].tolist() == [0, 1, 2]


def test_the_cache_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("cifar-10") == tmp_path / "cnnlib" / "cifar-10"
