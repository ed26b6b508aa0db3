r"""Fetching with faults put in: a clear error, and nothing half-written."""

import gzip
import hashlib
import http.server
import subprocess
import sys
import threading

import pytest

from course_lib.data import DataError, fashion_mnist
from course_lib.data.download import fetch_file

CONTENTS = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENTS).hexdigest()


class Publisher(http.server.BaseHTTPRequestHandler):
    r"""Serves the folder it is given, except where the path asks for a fault."""

    def do_GET(self):
        fault, _, name = self.path.strip("/").rpartition("/")
        path = self.server.folder / name
        if fault == "missing" or not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.server.served.append(name)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "wrong":
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.folder, server.served = tmp_path / "published", []
    server.folder.mkdir()
    (server.folder / "numbers.gz").write_bytes(CONTENTS)
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def left(cache):
    return sorted(path.name for path in cache.rglob("*")) if cache.exists() else []


def refused(urls, cache, message):
    with pytest.raises(DataError, match=message) as caught:
        fetch_file(urls, cache, SHA256)
    assert "nothing was kept" in str(caught.value)
    return str(caught.value)


def test_a_file_is_fetched_once(publisher, cache):
    for _ in range(2):
        path = fetch_file([f"{publisher.address}/numbers.gz"], cache, SHA256)
        assert path.read_bytes() == CONTENTS
    assert publisher.served == ["numbers.gz"]
    assert left(cache) == ["numbers.gz"]


def test_a_damaged_file_in_the_cache_is_replaced(publisher, cache):
    cache.mkdir()
    (cache / "numbers.gz").write_bytes(CONTENTS[:99])
    fetch_file([f"{publisher.address}/numbers.gz"], cache, SHA256)
    assert (cache / "numbers.gz").read_bytes() == CONTENTS


def test_the_second_address_helps_out(publisher, cache):
    urls = [
        f"{publisher.address}/{fault}numbers.gz" for fault in ("missing/", "wrong/", "cut/", "")
    ]
    assert fetch_file(urls, cache, SHA256).read_bytes() == CONTENTS
    assert left(cache) == ["numbers.gz"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", "the server answers 404 Not Found"),
        ("wrong", "not the published file: SHA256 hash of downloaded file"),
        ("cut", "the connection broke before the end"),
    ],
)
def test_faults_of_the_publisher(publisher, cache, fault, message):
    refused([f"{publisher.address}/{fault}/numbers.gz"], cache, message)
    assert left(cache) == []


def test_no_network(publisher, cache):
    publisher.shutdown()
    publisher.server_close()
    urls = [f"{publisher.address}/numbers.gz", "http://no-such-host.invalid/numbers.gz"]
    text = refused(urls, cache, r"(?s)numbers\.gz could not be downloaded:.*cannot be reached")
    assert all(url in text for url in urls)
    assert "HTTPS_PROXY" in text
    assert left(cache) == []


def test_a_bad_download_leaves_the_old_file_alone(publisher, cache):
    cache.mkdir()
    (cache / "numbers.gz").write_bytes(b"old")
    refused([f"{publisher.address}/wrong/numbers.gz"], cache, "not the published file")
    assert (cache / "numbers.gz").read_bytes() == b"old"
    assert left(cache) == ["numbers.gz"]


def test_no_folder_to_keep_it_in(publisher, tmp_path):
    (tmp_path / "file").touch()
    message = r"numbers\.gz cannot be kept in .*file.cache: .*Make room"
    refused([f"{publisher.address}/numbers.gz"], tmp_path / "file" / "cache", message)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from course_lib.data.download import fetch_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # writing beyond it fails
try:
    fetch_file([sys.argv[1]], Path(sys.argv[2]), sys.argv[3])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit that only Unix has")
def test_no_space(publisher, cache):
    url = f"{publisher.address}/numbers.gz"
    command = [sys.executable, "-c", FULL_DISK, url, str(cache), SHA256]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"DataError numbers.gz cannot be kept in {cache}: File too large")
    assert "Make room there" in done.stdout
    assert left(cache) == []


@pytest.fixture
def published_set(publisher, module, nothing_installed, write_four_files, monkeypatch):
    r"""Tiny files at the publisher's address, with their own checksums in place of the real."""
    write_four_files(publisher.folder)
    monkeypatch.setattr(module, "ADDRESSES", (f"{publisher.address}/",))
    for split, files in module.FILES.items():
        own = []
        for file in files:
            packed = (publisher.folder / f"{file.name}.gz").read_bytes()
            contents = gzip.decompress(packed)
            sums = [hashlib.sha256(data).hexdigest() for data in (packed, contents)]
            own.append(module.File(name=file.name, published=sums[0], contents=sums[1], bundled=""))
        monkeypatch.setitem(module.FILES, split, tuple(own))
    return publisher


def test_fashion_mnist_is_fetched_only_when_asked(published_set, nothing_installed, module):
    assert module.full_set_source() is None
    assert not nothing_installed.exists()
    data = fashion_mnist("train", fetch=True)
    assert data.source == "Fashion-MNIST, all 12 train images, from the user's cache"
    assert sorted(published_set.served) == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]
    fashion_mnist("train")
    fashion_mnist("train", fetch=True)
    assert len(published_set.served) == 2


def test_nothing_is_fetched_if_another_source_has_it(
    published_set, module, write_four_files, monkeypatch
):
    write_four_files(module.DEBIAN_FOLDER)
    assert "Debian" in fashion_mnist("test", fetch=True).source
    assert published_set.served == []


def test_a_damaged_cache_is_named_and_fetching_mends_it(published_set, nothing_installed):
    fashion_mnist("test", fetch=True)
    path = nothing_installed / "fashion-mnist" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz is cut short"):
        fashion_mnist("test")
    assert len(fashion_mnist("test", fetch=True)) == 4


def test_fetching_without_a_network_keeps_nothing(published_set, nothing_installed):
    published_set.shutdown()
    published_set.server_close()
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz could not be downloaded"):
        fashion_mnist("train", fetch=True)
    assert left(nothing_installed) in ([], ["fashion-mnist"])
