"""Fashion-MNIST: found, read, fetched and checked, or refused with words that help."""

import functools
import gzip
import hashlib
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cnnlib.data import CLASS_NAMES, fashion_mnist, fashion_mnist_subset
from cnnlib.data import fashion_mnist as function
from cnnlib.errors import CnnlibError, DataError
from tools.fashion_mnist_subset import subset

module = sys.modules[function.__module__]
SHAPES = {"train": 6, "t10k": 4}


def idx(array):
    """The bytes of an idx file."""
    head = (2048 + array.ndim).to_bytes(4, "big")
    return (
        head
        + b"".join(n.to_bytes(4, "big") for n in array.shape)
        + array.astype(np.uint8).tobytes()
    )


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    made = {}
    for kind, n in SHAPES.items():
        made[f"{kind}-images-idx3-ubyte.gz"] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        made[f"{kind}-labels-idx1-ubyte.gz"] = rng.integers(0, 10, n, dtype=np.uint8)
    return {name: made[name] for name in module.FILES}


@pytest.fixture
def folder(arrays, tmp_path):
    """A folder with four small files."""
    path = tmp_path / "files"
    path.mkdir()
    for name, array in arrays.items():
        (path / name).write_bytes(gzip.compress(idx(array), mtime=0))
    return path


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No test sees what is installed on this machine, and none leaves it."""
    monkeypatch.delenv("CNNLIB_DATA", raising=False)
    monkeypatch.setattr(module, "DEBIAN_FOLDER", tmp_path / "no-debian")
    monkeypatch.setattr(module, "_cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(module, "MIRRORS", ("http://127.0.0.1:9/",))


def same(data, arrays):
    return all(np.array_equal(a, b) for a, b in zip(data, arrays.values(), strict=True))


# --- found and read -------------------------------------------------------------------------------


def test_a_folder_is_read_compressed_or_not(folder, arrays):
    data = fashion_mnist(folder)
    assert same(data, arrays)
    assert same(fashion_mnist(str(folder)), arrays)
    assert data.train_images.dtype == data.test_images.dtype == np.uint8
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64
    assert data.train_images.flags.writeable
    for path in list(folder.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert same(fashion_mnist(folder), arrays)


def test_the_places_in_their_order(folder, arrays, monkeypatch, tmp_path):
    """Each place counts once the ones before it have nothing."""
    for place in (tmp_path / "cache", tmp_path / "no-debian"):
        place.mkdir()
        for path in folder.iterdir():
            (place / path.name).write_bytes(path.read_bytes())
        assert same(fashion_mnist(), arrays)
    (tmp_path / "cache" / module.FILES[0]).write_bytes(b"never read")
    assert same(fashion_mnist(), arrays)
    (tmp_path / "no-debian" / module.FILES[0]).write_bytes(b"never read")
    monkeypatch.setenv("CNNLIB_DATA", str(folder))
    assert same(fashion_mnist(), arrays)
    folder.rename(tmp_path / "fashion-mnist")
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path))
    assert same(fashion_mnist(), arrays)


def test_a_folder_that_is_named_is_not_passed_over(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLIB_DATA", str(folder))
    with pytest.raises(DataError) as error:
        fashion_mnist(tmp_path)
    assert str(error.value).startswith(f"folder={str(tmp_path)!r} lacks train-images-idx3-ubyte.gz")


def test_nowhere_is_said_with_the_places_and_remedies(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "mine"))
    with pytest.raises(CnnlibError) as error:
        fashion_mnist()
    text = str(error.value)
    for words in (
        f"Fashion-MNIST is in none of {tmp_path / 'mine'}",
        "no-debian",
        "cache",
        "download=True",
        "package dataset-fashion-mnist",
        "CNNLIB_DATA",
        "fashion_mnist_subset()",
    ):
        assert words in text


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_cache_folder_is_the_platforms_own(platform, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", platform)
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    inside = module._cache_folder().relative_to(tmp_path).as_posix()
    base = {"linux": ".cache", "darwin": "Library/Caches", "win32": "AppData/Local"}[platform]
    assert inside == f"{base}/cnnlib/fashion-mnist"


# --- refused --------------------------------------------------------------------------------------

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (IMAGES, lambda b: b"\0\0\x08\x01" + b[4:], "begins with 2049, expected 2051"),
        (LABELS, lambda b: b"\0\0\x08\x03" + b[4:], "begins with 2051, expected 2049"),
        (IMAGES, lambda b: b"<html>", "it is no idx file of images"),
        (LABELS, lambda b: b"", "it is no idx file of labels"),
        (IMAGES, lambda b: b[:-5], "holds 4699 bytes behind its head, expected 4704"),
        (IMAGES, lambda b: b + b"\0", "cut off or damaged"),
        (IMAGES, lambda b: b[:12], "it is no idx file of images"),
        (LABELS, lambda b: idx(np.zeros(5)), "has 5 labels for 6 images"),
    ],
)
def test_a_wrong_file_is_refused_by_name(folder, name, change, message):
    path = folder / name
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))
    with pytest.raises(DataError, match=message) as error:
        fashion_mnist(folder)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("damage", ["cut", "bit", "words"])
def test_a_damaged_archive_is_refused(folder, damage):
    path = folder / IMAGES
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes({"cut": content[:900], "bit": content, "words": b"not found"}[damage])
    with pytest.raises(DataError, match="cannot be read"):
        fashion_mnist(folder)


# --- fetched --------------------------------------------------------------------------------------


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(folder, monkeypatch):
    """The small files on a web server of this machine, with their own checksums."""
    sums = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in module.FILES}
    monkeypatch.setattr(module, "CHECKSUMS", sums)
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setattr(module, "MIRRORS", (address,))
        yield address
        server.shutdown()
        thread.join()


def test_a_download_is_checked_stored_and_shown(mirror, arrays, tmp_path, capsys, monkeypatch):
    assert same(fashion_mnist(download=True), arrays)
    out = capsys.readouterr().out
    assert "100 % of" in out
    assert out.count("fetched") == 4
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == sorted(module.FILES)
    monkeypatch.setattr(module, "MIRRORS", ())  # the second time nothing is fetched
    assert same(fashion_mnist(download=True), arrays)
    assert same(fashion_mnist(), arrays)
    assert capsys.readouterr().out == ""


def test_a_download_goes_into_the_folder_and_fetches_what_is_missing(
    mirror, arrays, tmp_path, capsys
):
    target = tmp_path / "new" / "place"
    assert same(fashion_mnist(target, download=True), arrays)
    (target / LABELS).unlink()
    capsys.readouterr()
    assert same(fashion_mnist(target, download=True), arrays)
    assert capsys.readouterr().out.count("fetched") == 1


def test_a_damaged_file_is_fetched_anew(mirror, arrays, tmp_path, capsys):
    target = tmp_path / "place"
    fashion_mnist(target, download=True)
    whole = (target / IMAGES).read_bytes()
    (target / IMAGES).write_bytes(whole[: len(whole) // 2])
    (target / LABELS).write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read"):
        fashion_mnist(target)
    capsys.readouterr()
    assert same(fashion_mnist(target, download=True), arrays)
    assert capsys.readouterr().out.count("fetched") == 2
    assert (target / IMAGES).read_bytes() == whole


def test_a_wrong_checksum_stores_nothing(mirror, folder, tmp_path):
    (folder / IMAGES).write_bytes(gzip.compress(idx(np.zeros((6, 28, 28)))))
    with pytest.raises(DataError) as error:
        fashion_mnist(download=True)
    assert f"{IMAGES} could not be fetched, and nothing was stored ({mirror}: SHA-256" in str(
        error.value
    )
    assert f"expected {module.CHECKSUMS[IMAGES]}" in str(error.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_second_mirror_helps(mirror, arrays, monkeypatch):
    monkeypatch.setattr(module, "MIRRORS", (f"{mirror}nowhere/", "http://127.0.0.1:9/", mirror))
    assert same(fashion_mnist(download=True), arrays)


def test_without_a_network_the_remedies_are_named(tmp_path):
    with pytest.raises(DataError) as error:
        fashion_mnist(download=True)
    text = str(error.value)
    assert "http://127.0.0.1:9/: " in text
    assert "Check the network" in text
    assert "dataset-fashion-mnist" in text
    assert "fashion_mnist_subset()" in text
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "a file").write_text("")
    with pytest.raises(DataError, match="cannot be written to"):
        fashion_mnist(tmp_path / "a file" / "folder", download=True)


# --- the real thing -------------------------------------------------------------------------------


def test_the_bundled_part():
    data = fashion_mnist_subset()
    for images, labels, each in ((*data[:2], 100), (*data[2:], 50)):
        assert images.shape == (10 * each, 28, 28)
        assert images.dtype == np.uint8
        assert labels.dtype == np.int64
        assert np.bincount(labels).tolist() == [each] * 10
        assert images.max() == 255
        assert len(np.unique(images.reshape(len(images), -1), axis=0)) > len(images) - 3
    assert len(set(CLASS_NAMES)) == 10
    assert module.SUBSET.stat().st_size < 700_000
    notice = module.SUBSET.with_suffix(".LICENSE.txt").read_text(encoding="utf-8")
    assert "MIT License" in notice
    assert "Zalando" in notice


def test_debians_files_hold_what_was_published_and_the_bundled_part_is_cut_from_them(monkeypatch):
    monkeypatch.undo()
    if not module._holds_all(module.DEBIAN_FOLDER):
        pytest.skip("sudo apt-get install dataset-fashion-mnist")
    whole = fashion_mnist(module.DEBIAN_FOLDER)
    assert whole.train_images.shape == (60000, 28, 28)
    assert whole.test_images.shape == (10000, 28, 28)
    assert np.bincount(whole.train_labels).tolist() == [6000] * 10
    assert np.bincount(whole.test_labels).tolist() == [1000] * 10
    bundled = fashion_mnist_subset()._asdict()
    for name, array in subset(whole).items():
        assert np.array_equal(array, bundled[name]), name
    # Debian left out name and time in the head of each archive; with them the published file is back.
    for name, digest in module.CHECKSUMS.items():
        time = 1504176606 if "train" in name else 1504176627
        head = b"\x1f\x8b\x08\x08" + time.to_bytes(4, "little") + b"\0\x03"
        body = (module.DEBIAN_FOLDER / name).read_bytes()[10:]
        published = head + name.removesuffix(".gz").encode() + b"\0" + body
        assert hashlib.sha256(published).hexdigest() == digest
        assert hashlib.md5(published).hexdigest() == MD5[name]


MD5 = {  # the publisher's own table
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def test_importing_the_data_needs_numpy_alone():
    code = "import cnnlib.data, sys; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"torch", "matplotlib", "anywidget"} & set(loaded)
