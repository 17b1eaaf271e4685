"""Puts config/ and storage/queries/ into the wheel as monitor/starter/, where `monitor init` finds them.

Everything else about the package stands in pyproject.toml. An editable install reads the source tree itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
PARTS = ("config", "storage/queries")


class BuildWithStarter(build_py):
    """build_py, and then the starter files."""

    def run(self) -> None:
        super().run()
        if getattr(self, "editable_mode", False):
            return
        starter = Path(self.build_lib) / "monitor" / "starter"
        shutil.rmtree(starter, ignore_errors=True)
        for source, target in self._starter(starter):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        starter = Path(self.build_lib) / "monitor" / "starter"
        return [
            *super().get_outputs(include_bytecode),
            *(str(target) for _, target in self._starter(starter)),
        ]

    @staticmethod
    def _starter(starter: Path) -> list[tuple[Path, Path]]:
        files = [path for part in PARTS for path in sorted((ROOT / part).rglob("*")) if path.is_file()]
        return [(path, starter / path.relative_to(ROOT)) for path in files if not path.name.startswith(".")]


setup(cmdclass={"build_py": BuildWithStarter})
