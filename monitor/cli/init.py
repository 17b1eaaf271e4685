"""`monitor init DIR`: a starter configuration to edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from monitor.errors import InputError

_PARTS = ("config", "storage/queries")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a starter configuration into DIR.

    DIR/config holds what you edit, DIR/storage is where the database will be. Files that exist are never
    overwritten.
    """
    from monitor.cli.show import say

    files = list(_starter_files())
    taken = [target for _, target in files if (folder / target).exists()]
    if taken:
        raise InputError(f"{folder / taken[0]} exists already; choose an empty folder")
    try:
        for source, target in files:
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            (folder / target).write_bytes(source.read_bytes())
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error
    say(f"wrote {len(files)} files; next: cd {folder} && monitor check && monitor run")


def starter() -> Path:
    """The folder that holds the starter set: in the wheel, or the source tree. Raises InputError."""
    package = Path(__file__).parent.parent
    root = package / "starter" if (package / "starter").is_dir() else package.parent
    if not (root / "config" / "sources.yaml").is_file():
        raise InputError("this installation has no starter configuration; install the package again")
    return root


def _starter_files() -> Iterator[tuple[Path, Path]]:
    """(file, its place below DIR) of the starter set."""
    root = starter()
    for part in _PARTS:
        for path in sorted((root / part).rglob("*")):
            if path.is_file() and not any(
                name.startswith((".", "__")) for name in path.relative_to(root).parts
            ):
                yield path, path.relative_to(root)
