"""CIFAR-10 from files in its own format: found, read, fetched and checked, or refused with words that help."""

import functools
import hashlib
import http.server
import io
import sys
import tarfile
import threading

import numpy as np
import pytest

from cnnlib.data import CIFAR10_NAMES, cifar10
from cnnlib.errors import DataError

module = sys.modules[cifar10.__module__]
EACH = 4


@pytest.fixture(scope="module")
def contents():
    """Six small files in the format of the binary version, and what is in them."""
    rng = np.random.default_rng(0)
    return {
        name: np.concatenate(
            [
                rng.integers(0, 10, (EACH, 1), dtype=np.uint8),
                rng.integers(0, 256, (EACH, 3072), dtype=np.uint8),
            ],
            axis=1,
        )
        for name in module.FILES
    }


def archive_of(contents):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {"batches.meta.txt": b"airplane\n", **contents}.items():
            data = content if isinstance(content, bytes) else content.tobytes()
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No test sees what is installed on this machine, and none leaves it."""
    monkeypatch.delenv("CNNLIB_DATA", raising=False)
    monkeypatch.setattr(module, "cache_folder", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(module, "EACH", EACH)
    monkeypatch.setattr(module, "URL", "http://127.0.0.1:9/cifar-10-binary.tar.gz")


@pytest.fixture
def folder(contents, tmp_path):
    path = tmp_path / "files"
    path.mkdir()
    for name, content in contents.items():
        (path / name).write_bytes(content.tobytes())
    return path


def check(data, contents):
    train = np.concatenate([contents[name] for name in module.FILES[:5]])
    for images, labels, table in (
        (data.train_images, data.train_labels, train),
        (data.test_images, data.test_labels, contents["test_batch.bin"]),
    ):
        assert images.dtype == np.uint8
        assert labels.dtype == np.int64
        assert labels.tolist() == table[:, 0].tolist()
        assert images.shape == (len(table), 3, 32, 32)
        # byte 1 is red at the upper left, byte 2 the pixel right of it, byte 1025 green, 2049 blue
        assert images[1, :, 0, 0].tolist() == table[1, [1, 1025, 2049]].tolist()
        assert images[0, 0, 0, 1] == table[0, 2]
        assert images[0, 2, 31, 31] == table[0, 3072]
        assert images.flags.writeable


def test_files_and_archive_are_read_alike(folder, contents, tmp_path, monkeypatch):
    check(cifar10(folder), contents)
    inside = tmp_path / "other" / "cifar-10-batches-bin"
    inside.parent.mkdir()
    folder.rename(inside)
    check(cifar10(inside.parent), contents)
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / module.ARCHIVE).write_bytes(archive_of(contents))
    check(cifar10(packed), contents)
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "base"))
    packed.rename(tmp_path / "base")
    check(cifar10(), contents)
    (tmp_path / "base" / "cifar-10").mkdir()
    (tmp_path / "base" / module.ARCHIVE).rename(tmp_path / "base" / "cifar-10" / module.ARCHIVE)
    check(cifar10(), contents)
    assert len(CIFAR10_NAMES) == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda b: b[:-1],
            "holds 12291 bytes, expected 12292, which is 4 records of 3073: it is cut off",
        ),
        (lambda b: b"\x0a" + b[1:], "has label 10 in record 0, expected 0 to 9: it is damaged"),
    ],
)
def test_a_wrong_file_is_refused_by_name(folder, change, message):
    path = folder / "data_batch_3.bin"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=message) as error:
        cifar10(folder)
    assert f"data_batch_3.bin in {folder}" in str(error.value)
    assert "Call cifar10(…, download=True)" in str(error.value)


@pytest.mark.parametrize("damage", ["half", "words", "other"])
def test_a_damaged_archive_is_refused(contents, tmp_path, damage):
    content = archive_of(contents)
    damaged = {
        "half": content[: len(content) // 2],
        "words": b"not found",
        "other": archive_of({"data_batch_1": b"pickle"}),
    }[damage]
    (tmp_path / module.ARCHIVE).write_bytes(damaged)
    message = "it is not the binary version" if damage == "other" else "cannot be read"
    with pytest.raises(DataError, match=message):
        cifar10(tmp_path)


def test_without_files_the_remedies_are_named(tmp_path):
    with pytest.raises(DataError) as error:
        cifar10()
    assert (
        f"CIFAR-10 is in none of {tmp_path / 'cache' / 'cifar-10'}: call cifar10(…, download=True)"
        in str(error.value)
    )
    with pytest.raises(
        DataError, match=r"holds neither cifar-10-binary\.tar\.gz nor data_batch_1\.bin"
    ):
        cifar10(tmp_path)


# --- fetched --------------------------------------------------------------------------------------


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(contents, tmp_path, monkeypatch):
    """The archive on a web server of this machine, with its own checksum; gives its path."""
    pytest.importorskip("pooch")
    place = tmp_path / "mirror"
    place.mkdir()
    (place / module.ARCHIVE).write_bytes(archive_of(contents))
    digest = hashlib.sha256((place / module.ARCHIVE).read_bytes()).hexdigest()
    monkeypatch.setattr(module, "SHA256", digest)
    handler = functools.partial(_Quiet, directory=place)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(
            module, "URL", f"http://127.0.0.1:{server.server_address[1]}/{module.ARCHIVE}"
        )
        yield place / module.ARCHIVE
        server.shutdown()
        thread.join()


def test_a_download_is_checked_stored_and_mended(mirror, contents, tmp_path):
    check(cifar10(download=True), contents)
    kept = tmp_path / "cache" / "cifar-10" / module.ARCHIVE
    whole = kept.read_bytes()
    check(cifar10(), contents)
    kept.write_bytes(whole[:-100])  # as a program that was killed might leave it
    with pytest.raises(DataError, match="cannot be read"):
        cifar10()
    check(cifar10(download=True), contents)
    assert kept.read_bytes() == whole
    assert [p.name for p in kept.parent.iterdir()] == [module.ARCHIVE]


def test_a_wrong_checksum_stores_nothing(mirror, tmp_path):
    mirror.write_bytes(b"something else")
    with pytest.raises(DataError) as error:
        cifar10(tmp_path / "new", download=True)
    assert "could not be fetched into" in str(error.value)
    assert "nothing was stored" in str(error.value)
    assert not list((tmp_path / "new").iterdir())


def test_offline_the_remedies_are_named(tmp_path):
    pytest.importorskip("pooch")
    with pytest.raises(DataError) as error:
        cifar10(tmp_path / "new", download=True)
    text = str(error.value)
    assert "Check the network and try again" in text
    assert "on a machine that has a network" in text
    assert "shapes32()" in text


def test_without_pooch_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match="needs the package pooch") as error:
        cifar10(tmp_path, download=True)
    assert "pip install 'cnnlib[training]'" in str(error.value)
