"""`python -m monitor` and the `monitor` command."""

from __future__ import annotations


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    from monitor.cli import main as run

    raise SystemExit(run())


if __name__ == "__main__":
    main()
