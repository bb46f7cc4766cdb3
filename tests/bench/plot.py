# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves with logarithmic axes as an SVG picture that stays readable on light and dark pages."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
WIDTH, HEIGHT, LEFT, TOP, GAP, LEGEND = 270, 260, 60, 40, 50, 24
TEXT = 'font-family="sans-serif" font-size="12" fill="#333"'


@dataclasses.dataclass(frozen=True)
class Curve:
    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    curves: Sequence[Curve]


class Axis:
    """Places values of a logarithmic scale that covers all of them in whole decades."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self.start, self.end = start, end

    def at(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def svg(panels: Sequence[Panel], across: str, up: str, floor: tuple[str, float]) -> str:
    """The panels side by side on the same scales; `floor` is a named value that is drawn as a thin line in each."""
    points = [point for panel in panels for curve in panel.curves for point in curve.points]
    width = LEFT + len(panels) * (WIDTH + GAP)
    curves = panels[0].curves
    height = TOP + HEIGHT + 50 + LEGEND * math.ceil((len(curves) + 1) / 3)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(up)} by {escape(across)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    rising = Axis([y for _x, y in points] + [floor[1]], TOP + HEIGHT, TOP)
    for number, panel in enumerate(panels):
        left = LEFT + number * (WIDTH + GAP)
        lines += _panel(panel, Axis([x for x, _y in points], left, left + WIDTH), rising, across, floor[1])
    middle = TOP + HEIGHT / 2
    lines.append(f'<text x="14" y="{middle}" transform="rotate(-90 14 {middle})" {TEXT}>{escape(up)}</text>')
    names = [(curve.name, COLOURS[curve.colour], curve.dashed) for curve in curves] + [(floor[0], "#999", False)]
    for number, (name, colour, dashed) in enumerate(names):
        x, y = LEFT + (number % 3) * (WIDTH + GAP), TOP + HEIGHT + 62 + (number // 3) * LEGEND
        lines.append(_line(x, y - 4, x + 30, y - 4, colour, dashed))
        lines.append(f'<text x="{x + 38}" y="{y}" {TEXT}>{escape(name)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel: Panel, along: Axis, rising: Axis, across: str, floor: float) -> Iterator[str]:
    yield f'<text x="{along.start}" y="{TOP - 14}" {TEXT} font-weight="bold">{escape(panel.title)}</text>'
    for tick in rising.ticks:
        yield _line(along.start, rising.at(tick), along.end, rising.at(tick), "#e5e5e5")
        yield f'<text x="{along.start - 6}" y="{rising.at(tick) + 4}" text-anchor="end" {TEXT}>{tick:g}</text>'
    for tick in along.ticks:
        yield _line(along.at(tick), TOP, along.at(tick), TOP + HEIGHT, "#e5e5e5")
        yield f'<text x="{along.at(tick)}" y="{TOP + HEIGHT + 16}" text-anchor="middle" {TEXT}>{tick:,.0f}</text>'
    middle = (along.start + along.end) / 2
    yield f'<text x="{middle}" y="{TOP + HEIGHT + 34}" text-anchor="middle" {TEXT}>{escape(across)}</text>'
    yield _line(along.start, rising.at(floor), along.end, rising.at(floor), "#999")
    for curve in panel.curves:
        points = " ".join(f"{along.at(x)},{rising.at(y)}" for x, y in curve.points)
        dash = ' stroke-dasharray="6 4"' if curve.dashed else ""
        yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[curve.colour]}" stroke-width="2"{dash}/>'
        for x, y in curve.points:
            yield f'<circle cx="{along.at(x)}" cy="{rising.at(y)}" r="3" fill="{COLOURS[curve.colour]}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="1.5"{dash}/>'
