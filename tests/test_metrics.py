"""The page for Prometheus can be read by Prometheus, and names nothing but sources and fixed words."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from monitor import yamltext
from monitor.metrics import Metrics, Snapshot, SourceSample
from tests.fakes import NOW

ALERTS = Path(__file__).parent.parent / "deploy" / "alerts.yml"


def samples(page: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_before_the_first_look_nothing_is_said_that_would_look_like_a_fall_to_zero() -> None:
    metrics = Metrics()
    assert samples(metrics.text()) == {}
    metrics.update(Snapshot())
    found = samples(metrics.text())
    assert found["monitor_items_pending", ()] == 0
    assert found["monitor_outbox_messages", (("status", "dead"),)] == 0


def test_what_was_seen_is_what_is_read() -> None:
    metrics = Metrics()
    metrics.update(
        Snapshot(
            version="1.0",
            heartbeat_at=NOW,
            offline=True,
            status={"pending": 7, "sources": {"ok": 3, "failing": 1}, "outbox": {"dead": 2}},
            sources=(SourceSample("meti", "failing", 4, NOW), SourceSample("new", "new", 0, None)),
            polls={"ok": 9},
            losses={"crash": 1},
            jobs={"error:read": 2},
        )
    )
    found = samples(metrics.text())
    expected = {
        ("monitor_build_info", (("version", "1.0"),)): 1,
        ("monitor_heartbeat_timestamp_seconds", ()): NOW.timestamp(),
        ("monitor_offline", ()): 1,
        ("monitor_items_pending", ()): 7,
        ("monitor_sources", (("state", "failing"),)): 1,
        ("monitor_outbox_messages", (("status", "dead"),)): 2,
        ("monitor_source_failures", (("source", "meti"),)): 4,
        ("monitor_source_last_ok_timestamp_seconds", (("source", "meti"),)): NOW.timestamp(),
        ("monitor_polls_total", (("status", "ok"),)): 9,
        ("monitor_worker_losses_total", (("kind", "crash"),)): 1,
        ("monitor_job_troubles_total", (("job", "read"), ("kind", "error"))): 2,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("monitor_source_last_ok_timestamp_seconds", (("source", "new"),)) not in found


def test_labels_are_few_words_and_source_ids() -> None:
    names = {name for _, labels in samples(Metrics().text()) for name, _ in labels}
    assert names <= {"version", "source", "state", "status", "outcome", "result", "kind", "job"}


def test_the_example_alerts_ask_for_what_is_there() -> None:
    names = {name for name, _ in samples(page_with_everything())}
    rules = yamltext.parse("alerts.yml", ALERTS.read_text("utf-8")).data
    asked = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert len(asked) >= 8
    for expression in asked:
        found = set(re.findall(r"\bmonitor_\w+", expression))
        assert found
        assert found <= names


def page_with_everything() -> bytes:
    metrics = Metrics()
    source = SourceSample("meti", "ok", 0, NOW)
    metrics.update(Snapshot(sources=(source,), losses={"crash": 1}, jobs={"error:read": 1}))
    return metrics.text()
