"""A server on the loopback interface that fails in every way in which a mirror can."""

import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Mirror(ThreadingHTTPServer):
    """Gives each request the next of its answers, and the last one ever after."""

    daemon_threads = True

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.ranges: list[str | None] = []
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some of the tests are about."""

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Mirror

    def do_GET(self) -> None:
        answers = self.server.answers
        self.server.ranges.append(self.headers["Range"])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.close_connection = True
        answer(self)

    def log_message(self, *_: object) -> None:
        pass


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def whole(body: bytes) -> Answer:
    """A server that knows ranges."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = int((handler.headers["Range"] or "bytes=0-")[6:-1])
        if start >= len(body):
            send(handler, 416, b"", Content_Range=f"bytes */{len(body)}")
        elif start:
            where = f"bytes {start}-{len(body) - 1}/{len(body)}"
            send(handler, 206, body[start:], Content_Range=where)
        else:
            send(handler, 200, body)

    return answer


def by_name(contents: Mapping[str, bytes], answer: Callable[[bytes], Answer] = whole) -> Answer:
    """Each file by the last part of its address, as `answer` makes one out of its content."""

    def answer_to(handler: BaseHTTPRequestHandler) -> None:
        content = contents.get(handler.path.rpartition("/")[2])
        (status(404) if content is None else answer(content))(handler)

    return answer_to


def truncated(body: bytes, count: int) -> Answer:
    """`count` bytes of the whole, announced as the whole."""
    return lambda handler: send(handler, 200, body[:count], Content_Length=str(len(body)))


def status(code: int, **headers: str) -> Answer:
    return lambda handler: send(handler, code, b"no", **headers)


def stalled(body: bytes) -> Answer:
    """Some bytes, and then none."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        truncated(body, 1000)(handler)
        handler.wfile.flush()
        handler.server.released.wait(20)  # type: ignore[attr-defined]

    return answer


def trickling(body: bytes) -> Answer:
    """A few bytes now and then."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        truncated(body, 0)(handler)
        while not handler.server.released.wait(0.02):  # type: ignore[attr-defined]
            handler.wfile.write(b"\0")
            handler.wfile.flush()

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.released.is_set():  # type: ignore[attr-defined]
        handler.wfile.write(bytes(1 << 16))


def hanging_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
