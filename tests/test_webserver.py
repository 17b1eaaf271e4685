"""The small web server: an answer a path, 304 to a client that has it, one connection for many questions."""

from __future__ import annotations

import http.client

import pytest

from monitor.webserver import Reply, WebServer


def answer(path: str) -> Reply:
    return Reply(200, "text/plain", path.encode(), etag='"one"') if path == "/it" else Reply(404, "", b"")


def test_a_client_that_has_it_is_told_so_on_the_same_connection() -> None:
    with WebServer(answer) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            told = []
            for path, headers in (("/it", {}), ("/it", {"If-None-Match": '"one"'}), ("/other", {})):
                client.request("GET", path, headers=headers)
                reply = client.getresponse()
                told.append((reply.status, reply.read()))
        finally:
            client.close()
    assert told == [(200, b"/it"), (304, b""), (404, b"")]


def test_a_port_that_is_taken_is_refused_when_it_is_made() -> None:
    with WebServer(answer) as server, pytest.raises(OSError, match="in use"):
        WebServer(answer, port=server.port)


def test_the_port_is_free_again_at_the_end() -> None:
    with WebServer(answer) as server:
        port = server.port
    with WebServer(answer, port=port) as again:
        assert again.port == port
