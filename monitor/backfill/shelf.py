"""Finished shards, kept as files until the merge and for the next run."""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from monitor.backfill.result import Found, ShardResult
from monitor.backfill.task import Task
from monitor.errors import MonitorError

FILES_AT_ONCE = 200  # results open during a merge


class Shelf:
    """The folder where finished shards wait for the merge. Its files are ours: they are unpickled.

    A file is a pickle without `found`, then a pickle for each of these, by date: a merge holds one a file.
    """

    def __init__(self, folder: Path, files_at_once: int = FILES_AT_ONCE) -> None:
        self.folder = folder
        self.files_at_once = files_at_once
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, task: Task) -> Path:
        return self.folder / f"{task.id}.result"

    def has(self, task: Task) -> bool:
        return self._path(task).exists()

    def list(self, tasks: Sequence[Task]) -> None:
        """Writes `manifest.jsonl`, for people: which result is of which files, one line each."""
        lines = ({"result": f"{t.id}.result", "kind": t.shard.kind, "paths": t.shard.paths} for t in tasks)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (self.folder / "manifest.jsonl").write_text(text, "utf-8", "replace")

    def put(self, task: Task, result: ShardResult) -> None:
        """Written beside and renamed: a result is there whole or not at all."""
        part = self._path(task).with_suffix(f".part{os.getpid()}")
        _write(part, ShardResult(result.counts, result.poison), result.found)
        part.replace(self._path(task))

    def summary(self, task: Task) -> ShardResult:
        """The result without what was found. Raises MonitorError for a file that is not ours."""
        try:
            with self._path(task).open("rb") as file:
                result = pickle.load(file)
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError) as error:
            result = error
        if not isinstance(result, ShardResult):
            raise MonitorError(f"{self._path(task)}: not a result of this program; remove it and run again")
        return result

    def found(self, tasks: Sequence[Task]) -> Iterator[Found]:
        """What some tasks found, in order of date."""
        paths = [self._path(task) for task in tasks if self.has(task)]
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="merge-") as folder:
            while len(paths) > self.files_at_once:
                groups = [paths[n : n + self.files_at_once] for n in range(0, len(paths), self.files_at_once)]
                paths = [Path(folder, f"{len(paths)}-{n}") for n in range(len(groups))]
                for path, group in zip(paths, groups, strict=True):
                    _write(path, ShardResult(), _merged(group))
            yield from _merged(paths)


def _write(path: Path, head: ShardResult, found: Iterable[Found]) -> None:
    with path.open("wb") as file:
        pickle.dump(head, file)
        for each in found:
            pickle.dump(each, file)
        file.flush()
        os.fsync(file.fileno())


def _merged(paths: Sequence[Path]) -> Iterator[Found]:
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in paths]
        yield from heapq.merge(*map(_stored, files), key=lambda found: found.order)


def _stored(file: BinaryIO) -> Iterator[Found]:
    pickle.load(file)
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(file)
