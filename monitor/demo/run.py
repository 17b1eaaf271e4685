"""The demo: the real pipeline against the demo site, with the rules that are shipped or configured."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from monitor import settings
from monitor.app import App, Clock, OnItem, OnPolled
from monitor.demo.site import Site
from monitor.report import RunReport

# What the demo stages on purpose; anything else that fails is a failure of the demo.
STAGED_FAILURES = frozenset({"broken"})

_MONITOR = """\
database: {out}/demo.db
storage: {out}
poll: {{concurrency: 8}}
workers: {{deadline_s: 5}}
channels:
  file: {{kind: file, folder: "{out}", feeds: "{out}/feeds"}}
"""

_DIGESTS = """\
- name: demo
  title: UK–Japan and US–Japan technology (demo)
  zone: Europe/London
  lang: en
  channels: [file]
"""

_SOURCES = """\
- {{id: gov, name: Ministry of Innovation (demo), url: "{base}/gov/feed.atom", country: gb, lang: en, authority: official, allow_private: true}}
- {{id: wire, name: Northern Wire (demo), url: "{base}/wire/rss.xml", country: us, lang: en, authority: press, allow_private: true}}
- {{id: kagaku, name: 科学産業通信 (demo), url: "{base}/kagaku/index.rdf", country: jp, lang: ja, authority: press, allow_private: true}}
- {{id: local, name: The Local Gazette (demo), kind: page, url: "{base}/local/", selector: "#news a", country: gb, authority: press, allow_private: true}}
- {{id: broken, name: The Broken Feed (demo), url: "{base}/broken/feed.xml", country: gb, authority: press, allow_private: true}}
"""  # noqa: E501 - one source a line reads best


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo came to. `digest_text` is the digest as a terminal shows it."""

    report: RunReport
    digest_text: str
    files: tuple[Path, ...]
    database: Path

    @property
    def ok(self) -> bool:
        failed = {each.source_id for each in self.report.polled.failed}
        return failed == STAGED_FAILURES and bool(self.files) and bool(self.report.processed.matches)


async def run(
    out: Path,
    rules_from: Path,
    *,
    now: Clock,
    on_polled: OnPolled | None = None,
    on_item: OnItem | None = None,
) -> Demo:
    """Serves the site, runs one full cycle over it and reads the digest back.

    `rules_from` is a configuration folder with rules. Earlier output in `out` is replaced.
    """
    out = out.resolve()
    with Site(now()) as site:
        config_dir = _configure(out, rules_from, site.base)
        config = settings.load(config_dir, os.environ)
        async with App(config, now=now) as app:
            report = await app.cycle(on_polled=on_polled, on_item=on_item)
    files = tuple(sorted(path for path in out.rglob("*") if path.suffix in {".html", ".txt", ".xml"}))
    text = next((path.read_text("utf-8") for path in files if path.suffix == ".txt"), "")
    return Demo(report, text, files, config.database)


def _configure(out: Path, rules_from: Path, base: str) -> Path:
    """A configuration of its own beside its output: the shipped rules, the demo's sources."""
    for name in ("config", "demo.db", "demo.db-wal", "demo.db-shm"):
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in [*out.glob("*.html"), *out.glob("*.txt"), *out.glob("feeds/*.xml")]:
        path.unlink()
    config_dir = out / "config"
    for name, text in settings.read_rule_files(rules_from).items():
        (config_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (config_dir / name).write_text(text, "utf-8")
    (config_dir / "monitor.yaml").write_text(_MONITOR.format(out=out), "utf-8")
    (config_dir / "digests.yaml").write_text(_DIGESTS, "utf-8")
    (config_dir / "sources.yaml").write_text(_SOURCES.format(base=base), "utf-8")
    return config_dir
