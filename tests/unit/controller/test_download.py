"""Downloads from mirrors that fail in every way a mirror can, all on the loopback interface."""

import gzip
import hashlib
import io
import multiprocessing
import os
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

import mirror as mirrors
from elboflow.images.download import check_mirrors, download, part_path
from elboflow.images.errors import BadData
from elboflow.images.locate import download_folder, find
from elboflow.images.progress import DownloadProgress
from elboflow.images.session import Limits, shown_host
from elboflow.images.sources import PublishedFile, PublishedSource
from mirror import Answer, endless, hanging_up, send, stalled, status, trickling

CONTENT = np.random.Philox(7).random_raw(40_000).tobytes()
PACKED = gzip.compress(CONTENT, mtime=0)
FILE = PublishedFile("images-idx3-ubyte", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
QUICK = Limits(connect_timeout=2, stall_timeout=0.4, attempts=3, backoff=0.01)


def whole(body: bytes = PACKED) -> Answer:
    return mirrors.whole(body)


def truncated(count: int) -> Answer:
    return mirrors.truncated(PACKED, count)


def ignoring_range(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 200, PACKED)


def other_range(handler: BaseHTTPRequestHandler) -> None:
    send(handler, 206, PACKED[5:], Content_Range=f"bytes 5-{len(PACKED) - 1}/{len(PACKED)}")


def chunked_and_cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"2000\r\n" + PACKED[:0x2000] + b"\r\n2000\r\n" + PACKED[:100])


CORRUPT = gzip.compress(CONTENT[:-1] + b"?", mtime=0)


def fetch(folder: Path, *mirrors: str, limits: Limits = QUICK) -> bytes:
    return download(FILE, mirrors, folder, limits)


@pytest.mark.parametrize("body", [PACKED, CONTENT], ids=["packed", "unpacked on the way"])
def test_a_good_mirror_gives_the_published_bytes(mirror, tmp_path, body):
    server = mirror(whole(body))
    assert fetch(tmp_path, server.url + "/") == CONTENT
    assert server.ranges == [None]
    assert list(tmp_path.iterdir()) == []


def test_a_transfer_that_breaks_off_goes_on_where_it_ended(mirror, tmp_path):
    server = mirror(truncated(1000), whole())
    assert fetch(tmp_path, server.url) == CONTENT
    assert server.ranges == [None, "bytes=1000-"]


def test_the_next_call_goes_on_with_the_partial_file(mirror, tmp_path):
    server = mirror(truncated(1000))
    with pytest.raises(BadData, match="broke off after 1000 bytes"):
        fetch(tmp_path, server.url, limits=Limits(attempts=1))
    server.answers = [whole()]
    assert fetch(tmp_path, server.url) == CONTENT
    assert server.ranges == [None, "bytes=1000-"]


@pytest.mark.parametrize(
    "second", [ignoring_range, other_range], ids=lambda answer: answer.__name__
)
def test_a_server_without_ranges_starts_over(mirror, tmp_path, second):
    server = mirror(truncated(1000), second, whole())
    assert fetch(tmp_path, server.url) == CONTENT


@pytest.mark.parametrize("length", [len(PACKED), len(PACKED) + 7], ids=["complete", "too long"])
def test_a_partial_file_with_nothing_left_to_bring(mirror, tmp_path, length):
    server = mirror(whole())
    part = part_path(tmp_path, FILE, f"{server.url}/{FILE.name}.gz")
    part.write_bytes((PACKED + b"surplus")[:length] if length == len(PACKED) else bytes(length))
    assert fetch(tmp_path, server.url) == CONTENT
    assert server.ranges == [f"bytes={length}-"] + [None] * (length > len(PACKED))


def test_a_partial_file_of_another_version_is_brought_anew(mirror, tmp_path):
    server = mirror(whole())
    part_path(tmp_path, FILE, f"{server.url}/{FILE.name}.gz").write_bytes(bytes(500))
    assert fetch(tmp_path, server.url) == CONTENT
    assert server.ranges == ["bytes=500-", None]


@pytest.mark.parametrize(
    ("answer", "why", "requests"),
    [
        (status(404), "HTTP 404", 1),
        (status(500), "HTTP 500", 4),
        (status(206), "HTTP 206", 1),
        (truncated(0), "broke off after 0 bytes", 3),
        (chunked_and_cut, "broke off after", 3),
        (hanging_up, "closed the connection without an answer", 2),
        (stalled(PACKED), "no byte for 0.4 s", 3),
        (trickling(PACKED), "hardly any bytes", 3),
        (whole(CORRUPT), "wrong content", 1),
        (whole(PACKED[:-9]), "wrong content", 1),
        (whole(b"<html>Please log in</html>"), "wrong content", 1),
        (whole(gzip.compress(CONTENT + bytes(1 << 24))), "wrong content", 1),
        (whole(PACKED + bytes(1 << 20)), "more than the file can have", 1),
        (endless, "more bytes than the file can have", 1),
        (status(302, Location="/again"), "more than 5 redirects", 6),
        (status(302, Location="file:///etc/hostname"), "not http or https", 1),
        (status(302, Location="ftp://127.0.0.1/x"), "not http or https", 1),
        (status(302, Location="http://[x"), "redirects to no valid address", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_mirror_is_left_for_the_next_one(mirror, tmp_path, answer, why, requests):
    bad, good = mirror(answer), mirror(whole())
    assert fetch(tmp_path, bad.url, good.url) == CONTENT
    assert len(bad.ranges) == requests
    with pytest.raises(BadData) as failure:
        fetch(tmp_path, bad.url, limits=Limits(stall_timeout=0.4, attempts=1, backoff=0.01))
    assert why in str(failure.value)


def test_a_passing_server_error_is_waited_out(mirror, tmp_path):
    server = mirror(status(500), status(503, Retry_After="3600"), whole())
    assert fetch(tmp_path, server.url) == CONTENT
    assert len(server.ranges) == 3


def test_a_redirect_is_followed(mirror, tmp_path):
    target = mirror(whole())
    server = mirror(lambda handler: status(302, Location=target.url + "/there")(handler))
    assert fetch(tmp_path, server.url) == CONTENT


def test_an_unpacked_size_beyond_the_published_one_is_never_unpacked(mirror, tmp_path, monkeypatch):
    asked: list[int] = []
    read = gzip.GzipFile.read

    def counting(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        asked.append(-1 if size is None else size)
        return read(self, size)

    monkeypatch.setattr(gzip.GzipFile, "read", counting)
    server = mirror(whole(gzip.compress(bytes(1 << 26))))
    with pytest.raises(BadData, match="wrong content"):
        fetch(tmp_path, server.url)
    assert asked == [FILE.size + 1]


def test_when_all_fail_one_line_says_why_for_each(mirror, tmp_path, refusing):
    missing, corrupt = mirror(status(404)), mirror(whole(CORRUPT))
    secret = missing.url.replace("http://", "http://me:password@")
    with pytest.raises(BadData) as failure:
        fetch(tmp_path, secret, corrupt.url, refusing)
    host = "127.0.0.1:"
    assert str(failure.value) == (
        f"images-idx3-ubyte could not be downloaded ({host}{missing.server_port}: HTTP 404; "
        f"{host}{corrupt.server_port}: wrong content; {shown_host(refusing)}: connection refused); "
        "put images-idx3-ubyte.gz into a folder and set data_dir to that folder"
    )


@pytest.mark.parametrize(
    "mirror_",
    [
        *("ftp://host/x", "host/x", "file:///x", "http://", "https:///x"),
        *("http://[x", "http://host:port/", "http://host:99999/", "http://ho st/"),
    ],
)
def test_mirrors_are_http_or_https(mirror_):
    with pytest.raises(BadData, match="is not an http or https address"):
        check_mirrors([mirror_])


def test_a_host_that_no_name_can_have_is_left_for_the_next_mirror(mirror, tmp_path, capsys):
    assert fetch(tmp_path, f"http://{'a' * 70}.test/", mirror(whole()).url) == CONTENT
    assert "no valid address" in capsys.readouterr().err


# ---- the places in which a file is looked for


@pytest.fixture
def source(tmp_path, monkeypatch) -> PublishedSource:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = tmp_path / "package"
    return PublishedSource("small", "Small", "", "", {"all": FILE}, dict, (), package)


def test_the_second_call_makes_no_request(mirror, source):
    server = mirror(whole())
    for _ in range(2):
        assert find(FILE, source, None, [server.url], QUICK) == CONTENT
    assert len(server.ranges) == 1
    assert sorted(path.name for path in download_folder(source).iterdir()) == [
        FILE.name,
        f"{FILE.name}.lock",
    ]


def test_a_spoilt_cache_is_fetched_again(mirror, source, capsys):
    server = mirror(whole())
    cached = download_folder(source) / FILE.name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT[:-1])
    assert find(FILE, source, None, [server.url], QUICK) == CONTENT
    assert cached.read_bytes() == CONTENT
    assert "is fetched again: truncated" in capsys.readouterr().err


def test_a_cache_that_cannot_be_used(source, tmp_path):
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(BadData, match=r"cannot be used \(Not a directory\); set XDG_CACHE_HOME"):
        find(FILE, source, None, [], QUICK)


def test_a_cache_without_a_home(source, monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(BadData, match="no home folder; set XDG_CACHE_HOME"):
        find(FILE, source, None, [], QUICK)


def test_nothing_stands_under_the_final_name_after_a_failure(mirror, source):
    server = mirror(truncated(1000))
    with pytest.raises(BadData):
        find(FILE, source, None, [server.url], QUICK)
    assert not (download_folder(source) / FILE.name).exists()


@pytest.mark.parametrize("name", [FILE.name, f"{FILE.name}.gz"])
@pytest.mark.parametrize("content", [PACKED, CONTENT], ids=["packed", "raw"])
def test_data_dir_comes_first(mirror, source, tmp_path, name, content):
    server = mirror(status(404))
    (tmp_path / name).write_bytes(content)
    source.package.mkdir()
    (source.package / name).write_bytes(b"not looked at")
    assert find(FILE, source, tmp_path, [server.url], QUICK) == CONTENT
    assert server.ranges == []


DOTTED = FILE.name.replace("-idx", ".idx")


@pytest.mark.parametrize("name", [DOTTED, f"{DOTTED}.gz"])
def test_a_file_may_have_the_name_that_some_archives_give_it(source, tmp_path, name):
    (tmp_path / FILE.name).mkdir()  # beside which such an archive puts it
    (tmp_path / name).write_bytes(PACKED)
    assert find(FILE, source, tmp_path, [], QUICK) == CONTENT


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def broken_link(path: Path) -> None:
    path.symlink_to("nothing")


@pytest.mark.fault(
    "a pipe, a device or a link to nothing in data_dir under a published file's name",
    outcome="refused in one line; nothing is waited for, and nothing is downloaded instead",
)
@pytest.mark.parametrize("make", [pipe, device, broken_link])
def test_what_is_no_file_in_data_dir_is_named(mirror, source, tmp_path, make):
    make(tmp_path / FILE.name)
    with pytest.raises(BadData, match="it is a device, a pipe or a link to nothing; replace"):
        find(FILE, source, tmp_path, [mirror(whole()).url], QUICK)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (CORRUPT, rf"expected sha256 {FILE.sha256}, found [0-9a-f]{{64}}; replace or remove it"),
        (b"", f"truncated: 0 bytes, expected {FILE.size}"),
        (CONTENT + b"?", f"holds more than the {FILE.size} bytes expected"),
        (PACKED[:-100], "the gzip file is truncated"),
        (PACKED[:2000] + bytes(50) + PACKED[2050:], "damaged|found"),
        (PACKED[:2] + b"?" + PACKED[3:], "the gzip file is damaged"),
    ],
    ids=["content", "empty", "too long", "cut gzip", "spoilt gzip", "spoilt header"],
)
def test_a_wrong_file_in_data_dir_is_named_and_not_passed_over(source, tmp_path, content, why):
    path = tmp_path / f"{FILE.name}.gz"
    path.write_bytes(content)
    with pytest.raises(BadData, match=why) as failure:
        find(FILE, source, tmp_path, [], QUICK)
    assert str(failure.value).startswith(f"{path} is not {FILE.name} of Small: ")


def test_data_dir_without_the_file_then_the_package(source, tmp_path):
    source.package.mkdir()
    (source.package / f"{FILE.name}.gz").write_bytes(PACKED)
    assert find(FILE, source, tmp_path, [], QUICK) == CONTENT


def test_a_package_of_other_bytes_is_passed_over(mirror, source, capsys):
    source.package.mkdir()
    (source.package / FILE.name).write_bytes(b"other")
    assert find(FILE, source, None, [mirror(whole()).url], QUICK) == CONTENT
    assert "is passed over: truncated: 5 bytes" in capsys.readouterr().err


def test_two_processes_share_one_download(mirror, source):
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)
        whole()(handler)

    server = mirror(slow)
    # Spawned processes would have to import this file by name, which importlib mode forbids.
    context = multiprocessing.get_context("fork")
    arguments = (FILE, source, None, [server.url], Limits())
    callers = [context.Process(target=find, args=arguments) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    assert [caller.exitcode for caller in callers] == [0, 0]
    assert len(server.ranges) == 1


# ---- progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_rewrites_one_line_on_a_terminal(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    stream = Terminal()
    progress = DownloadProgress("images", stream=stream)
    progress.update(1 << 20, 4 << 20)
    progress.update(2 << 20, None)
    progress.close()
    assert stream.getvalue() == ("\rimages: 1.0 of 4.0 MiB (25%)\x1b[K\rimages: 2.0 MiB\x1b[K\n")


def test_progress_gives_a_log_a_line_now_and_then(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = DownloadProgress("images", stream=stream)
    for _ in range(10):
        progress.update(1 << 20, 4 << 20)
    progress.close()
    assert stream.getvalue() == "images: 1.0 of 4.0 MiB (25%)\n" * 2


def test_a_full_disk_names_the_partial_file(mirror, tmp_path):
    server = mirror(whole())
    part = part_path(tmp_path, FILE, f"{server.url}/{FILE.name}{FILE.packing}")
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as error:
        fetch(tmp_path, server.url)
    assert error.value.filename == str(part)
