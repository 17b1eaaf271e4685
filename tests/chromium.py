"""Headless Chromium, driven over its debugging pipe: no driver program, no library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

PATIENCE_S = 60.0
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-default-apps --hide-scrollbars --no-proxy-server"
    " --disable-dev-shm-usage --remote-debugging-pipe"
).split()


def program() -> str | None:
    """Where Chromium is; None when there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Chromium:
    """One page of one browser."""

    def __init__(self, profile: Path, *, width: int = 1200, height: int = 900) -> None:
        commands, self._to = (_high(fd) for fd in os.pipe())
        self._from, answers = (_high(fd) for fd in os.pipe())
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "-", str(program()), *_FLAGS,
             f"--window-size={width},{height}", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._buffer, self._number, self._session = b"", 0, ""
        pages = self._call("Target.getTargets")["targetInfos"]
        target = next(page["targetId"] for page in pages if page["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        # No window is narrower than 500 pixels, but a page may be told that it is.
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)
        self.until(
            lambda: (
                self.run("document.readyState") == "complete" and self.run("location.href") != "about:blank"
            )
        )

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self._call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def text(self) -> str:
        return str(self.run("document.body.innerText"))

    def follow(self, script: str) -> None:
        """Does something in the page that leads to another, and waits for that."""
        self.run("window.before = true")
        self.run(f"{script}; 0")
        self.until(lambda: self.run("window.before !== true && document.readyState === 'complete'"))

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, "the page did not come"
            time.sleep(0.02)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(
            base64.b64decode(self._call("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        )

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._receive())
            if answer.get("id") == self._number:
                return answer.get("result", {})

    def _receive(self) -> bytes:
        while b"\0" not in self._buffer:
            more = os.read(self._from, 65536)
            assert more, "Chromium has gone"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return message


def _high(fd: int) -> int:
    """The same end of a pipe under a number that is not 3 or 4, which Chromium wants for itself."""
    high = fcntl.fcntl(fd, fcntl.F_DUPFD, 20)
    os.close(fd)
    return high
