"""What surrounds the worker in `benchmarks/chaos.py`, to be broken: press, name server, disk, operator."""

from __future__ import annotations

import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME = "press.chaos.test"
DNS_ADDRESS = "127.0.0.7"
FEEDS = 20  # each shows every article, so that a poll somewhere is never far
SHOWN = 400  # more than ever appear while nothing is read
READ_ONLY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* While the file $CHAOS_FLAG exists, writing to files under $CHAOS_UNDER fails as on a read-only disk. */
static int refused(int fd) {
  const char *flag = getenv("CHAOS_FLAG"), *under = getenv("CHAOS_UNDER");
  char link[64], path[512];
  if (!flag || !under || access(flag, F_OK)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return !strncmp(path, under, strlen(under));
}
#define GUARD(type, name, args, call) \\
  type name args { \\
    static type (*real) args; \\
    if (!real) real = (type (*) args) dlsym(RTLD_NEXT, #name); \\
    if (refused(fd)) { errno = EROFS; return -1; } \\
    return real call; }
GUARD(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
GUARD(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
GUARD(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
GUARD(int, ftruncate64, (int fd, off64_t n), (fd, n))
GUARD(int, ftruncate, (int fd, off_t n), (fd, n))
"""


class Press:
    """A web server whose articles all match; `cut` makes it break off every answer half-way."""

    def __init__(self) -> None:
        self.published: dict[str, float] = {}  # path → monotonic time, in order
        self.cut = False
        self.requests: list[float] = []
        self._draw = random.Random(11)
        self._dates: dict[str, datetime] = {}
        press = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                press.requests.append(time.monotonic())
                kind, body = press.answer(self.path)
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if press.cut else body)
                self.close_connection = press.cut

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://{NAME}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self) -> str:
        path = f"/news/{len(self.published)}"
        self._dates[path] = datetime.now(UTC)
        self.published[path] = time.monotonic()
        return path

    def answer(self, path: str) -> tuple[str, bytes]:
        if path.startswith("/feed/"):
            return "application/rss+xml", self._feed()
        if path in self.published:
            return "text/html; charset=utf-8", self._page(path).encode()
        return "", b"nothing here"

    def _feed(self) -> bytes:
        items = "".join(
            f"<item><title>{_title(path)}</title><link>{self.base}{path}</link><guid>{self.base}{path}</guid>"
            f"<pubDate>{format_datetime(self._dates[path])}</pubDate></item>"
            for path in list(self.published)[-SHOWN:]
        )
        return f"<rss version='2.0'><channel><title>Press</title>{items}</channel></rss>".encode()

    def _page(self, path: str) -> str:
        words = random.Random(path)
        text = "".join(f"<p>{' '.join(_word(words) for _ in range(60))}.</p>" for _ in range(4))
        return (
            f"<!doctype html><html><head><title>{_title(path)}</title></head><body><article>"
            f"<h1>{_title(path)}</h1><p>A semiconductor plant in Japan: {_title(path)}.</p>{text}"
            "</article></body></html>"
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _word(draw: random.Random) -> str:
    return "".join(draw.choices("abdegiklmnoprstu", k=draw.randint(3, 9)))


def _title(path: str) -> str:
    draw = random.Random(path + "title")
    return " ".join(_word(draw).capitalize() for _ in range(5))


class Names:
    """A name server that knows the press alone; `dead`, it says nothing to anybody."""

    def __init__(self) -> None:
        self.dead = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((DNS_ADDRESS, 53))
        self._socket.settimeout(0.2)  # a socket that somebody waits on keeps its port after close()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closed:
            with suppress(TimeoutError):
                query, client = self._socket.recvfrom(512)
                if not self.dead:
                    self._socket.sendto(_dns_answer(query), client)

    def close(self) -> None:
        self._closed = True
        self._thread.join()
        self._socket.close()


def _dns_answer(query: bytes) -> bytes:
    """127.0.0.1 to a question for an A record, no record to any other (RFC 1035 section 4)."""
    end = query.index(b"\0", 12) + 5
    is_a = query[end - 4 : end - 2] == b"\0\1"
    record = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 1, 4) + bytes([127, 0, 0, 1]) if is_a else b""
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(record) // 16, 0, 0) + query[12:end] + record


class Operator:
    """A webhook that keeps what the engineer would be told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, dict[str, Any]]] = []
        operator = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                operator.told.append((time.monotonic(), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size in `folder`. Needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "chaos", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Writes until the disk is full; returns the file that fills it."""
    path = folder / "filler"
    with path.open("wb") as file, suppress(OSError):
        while True:
            file.write(b"x" * 65_536)
            file.flush()
    return path


def read_only_library(folder: Path) -> Path:
    """A library for LD_PRELOAD that makes files read-only on demand."""
    source, library = folder / "read_only.c", folder / "read_only.so"
    source.write_text(READ_ONLY)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


class Worker:
    """`monitor run` in a mount namespace of its own, with our name server; its log lines by time."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.lines: list[tuple[float, str]] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = (
            f"mount --bind {self.folder}/resolv.conf /etc/resolv.conf && exec {sys.executable} -m monitor run"
        )
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr
        for line in process.stderr:
            self.lines.append((time.monotonic(), line.rstrip()))

    def children(self) -> list[int]:
        assert self.process
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(60)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
