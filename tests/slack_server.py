"""A Slack-shaped webhook on 127.0.0.1: enforces the limits, and fails in every way on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LIMITS = {"section": 3_000, "header": 150, "context": 2_000}
TOTAL_CHARS = 13_200
MAX_BLOCKS = 50


@dataclass
class Inbox:
    """Messages it accepted, and the answers it gives in turn.

    An answer is "ok", "reset", "silent-accept" (takes it and never answers), or (status, headers, body).
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    check_limits: bool = True
    finished: threading.Event = field(default_factory=threading.Event)


def problem(message: dict[str, Any]) -> str:
    """Why Slack would refuse a message; "" when it would take it."""
    blocks = message.get("blocks", [])
    if not message.get("text"):
        return "no_text"
    if len(blocks) > MAX_BLOCKS:
        return "invalid_blocks"
    total = 0
    for block in blocks:
        texts = [text for text in (block.get("text"), *block.get("elements", [])) if text]
        if len(block.get("elements", [])) > 10:
            return "invalid_blocks"
        for text in texts:
            length = len(text["text"])
            total += length
            if not 1 <= length <= LIMITS[block["type"]]:
                return "invalid_blocks"
    return "msg_blocks_too_long" if total > TOTAL_CHARS else ""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        inbox = self.server.inbox
        body = self.rfile.read(int(self.headers["content-length"]))
        inbox.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        answer = inbox.answers.pop(0) if inbox.answers else "ok"
        if answer == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif answer == "silent-accept":
            inbox.messages.append(json.loads(body))
            inbox.finished.wait(20)
        elif answer == "ok":
            self._accept(inbox, json.loads(body))
        else:
            self._answer(*answer)

    def _accept(self, inbox: Inbox, message: dict[str, Any]) -> None:
        wrong = problem(message) if inbox.check_limits else ""
        if wrong:
            self._answer(400, {}, wrong)
        else:
            inbox.messages.append(message)
            self._answer(200, {}, "ok")

    def _answer(self, status: int, headers: dict[str, str], body: str) -> None:
        with suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection we have reset ourselves is no error."""


@contextmanager
def serve() -> Iterator[tuple[str, Inbox]]:
    """(webhook address, inbox)"""
    inbox = Inbox()
    server = _Server(inbox)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/services/T000/B000/s3cr3tpath", inbox
    finally:
        inbox.finished.set()
        server.shutdown()
        server.server_close()
        thread.join()
