"""Small SVG charts, drawn without a library: bars beside each other, one group a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 280
LEFT, BOTTOM, TOP = 56, 40, 36
COLOURS = ("#1f6f8b", "#c8553d", "#7a9e3a", "#8b8b8b")


def bars(title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """An SVG document; values are drawn from zero, and the largest is named on the axis."""
    top = max((value for values in series.values() for value in values), default=0) or 1
    step = (WIDTH - LEFT - 16) / max(len(labels), 1)
    width = step * 0.8 / max(len(series), 1)
    height = HEIGHT - TOP - BOTTOM
    parts = []
    for s, (name, values) in enumerate(series.items()):
        colour = COLOURS[s % len(COLOURS)]
        parts.append(f'<rect x="{LEFT + s * 130}" y="{TOP - 18}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 14 + s * 130}" y="{TOP - 9}">{escape(name)}</text>')
        for n, value in enumerate(values):
            tall = height * value / top
            x = LEFT + n * step + step * 0.1 + s * width
            parts.append(
                f'<rect x="{x:.1f}" y="{TOP + height - tall:.1f}" width="{width:.1f}" height="{tall:.1f}"'
                f' fill="{colour}"><title>{escape(labels[n])}: {escape(name)} {value:g}</title></rect>'
            )
    every = max(1, round(len(labels) / 12))
    for n, label in enumerate(labels):
        if n % every == 0:
            x = LEFT + (n + 0.5) * step
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 20}" text-anchor="middle">{escape(label)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="11"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{LEFT}" y="14" font-size="13" font-weight="bold">{escape(title)}</text>'
        f'<line x1="{LEFT}" y1="{TOP + height}" x2="{WIDTH - 16}" y2="{TOP + height}" stroke="#444"/>'
        f'<text x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end">{top:g}</text>'
        f'<text x="{LEFT - 6}" y="{TOP + height}" text-anchor="end">0</text>{"".join(parts)}</svg>\n'
    )


def stacked(charts: Sequence[str]) -> str:
    """One SVG document of several, one below the other."""
    placed = [
        chart.replace("<svg ", f'<svg y="{n * HEIGHT}" width="{WIDTH}" height="{HEIGHT}" ', 1)
        for n, chart in enumerate(charts)
    ]
    box = f'viewBox="0 0 {WIDTH} {HEIGHT * len(charts)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(placed)}</svg>\n'
