"""A dot chart of ratios on a logarithmic axis, as SVG that reads well in light and in dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 860, 310, 40, 40, 84, 46
STYLE = """
:root { --paper: #ffffff; --ink: #1f2328; --faint: #d1d9e0; --quiet: #59636e; --good: #dafbe1;
  --c0: #0969da; --c1: #bf3989; --c2: #bc4c00; --c3: #8250df; --c4: #9a6700; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #f0f6fc; --faint: #3d444d; --quiet: #9198a1; --good: #12361f;
    --c0: #4493f8; --c1: #db61a2; --c2: #f0883e; --c3: #ab7df8; --c4: #d29922; }
}
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.quiet { fill: var(--quiet); font-size: 12px; }
.grid { stroke: var(--faint); } .base { stroke: var(--quiet); stroke-width: 1.5; }
"""
COLOURS = 5


@dataclass(frozen=True)
class Row:
    """One measure: what it is, what must be reached, and each contender's ratio."""

    label: str
    limit: float
    more_is_better: bool
    ratios: Mapping[str, float]


class Axis:
    """Whole decades that hold every value; from a ratio to a place."""

    def __init__(self, values: Sequence[float]) -> None:
        self.low = floor(min(log10(value) for value in values))
        self.high = max(ceil(max(log10(value) for value in values)), self.low + 1)

    def x(self, value: float) -> float:
        share = (log10(value) - self.low) / (self.high - self.low)
        return round(LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT), 1)

    def decades(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def dot_chart(title: str, base: str, rows: Sequence[Row]) -> str:
    """One line a measure, one dot a contender; green is where the limit is kept."""
    axis = Axis([value for row in rows for value in (row.limit, 1.0, *row.ratios.values())])
    height = TOP + ROW * len(rows) + BOTTOM
    names = list(dict.fromkeys(name for row in rows for name in row.ratios))
    colours = {name: f"var(--c{number % COLOURS})" for number, name in enumerate(names)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" style="fill: var(--paper)"/>',
        f'<text x="20" y="28" font-weight="600">{escape(title)}</text>',
        *legend(colours),
        *(part for number, row in enumerate(rows) for part in zone(row, number, axis)),
        *grid(axis, base, TOP + ROW * len(rows)),
        *(part for n, row in enumerate(rows) for part in dots(row, n, axis, colours)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def legend(colours: Mapping[str, str]) -> list[str]:
    parts, x = [], 20
    for name, colour in colours.items():
        parts.append(f'<circle cx="{x + 5}" cy="48" r="5" style="fill: {colour}"/>')
        parts.append(f'<text class="quiet" x="{x + 16}" y="52">{escape(name)}</text>')
        x += 34 + 8 * len(name)
    return parts


def zone(row: Row, number: int, axis: Axis) -> list[str]:
    """Where the limit is kept, and the row's name."""
    y, limit = TOP + ROW * number, axis.x(row.limit)
    begin, end = (limit, WIDTH - RIGHT) if row.more_is_better else (LEFT, limit)
    hint = "more is better" if row.more_is_better else "less is better"
    return [
        f'<rect x="{begin}" y="{y + 5}" width="{round(end - begin, 1)}" height="{ROW - 10}" '
        'style="fill: var(--good)"/>',
        f'<text x="20" y="{y + 18}">{escape(row.label)}</text>',
        f'<text class="quiet" x="20" y="{y + 33}">{hint}</text>',
    ]


def grid(axis: Axis, base: str, bottom: int) -> list[str]:
    parts = []
    for value in axis.decades():
        kind = "base" if value == 1 else "grid"
        name = f"{value:g} = {base}" if value == 1 else f"{value:g}"
        x = axis.x(value)
        parts.append(f'<line class="{kind}" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(
            f'<text class="quiet" x="{x}" y="{bottom + 20}" text-anchor="middle">'
            f"{escape(name)}</text>"
        )
    return parts


def dots(row: Row, number: int, axis: Axis, colours: Mapping[str, str]) -> list[str]:
    """Each contender has a lane of its own, so that equal figures do not hide one another."""
    lanes = {name: lane for lane, name in enumerate(colours)}
    step = (ROW - 18) / max(1, len(lanes) - 1)
    top = TOP + ROW * number + 9
    return [
        f'<circle cx="{axis.x(value)}" cy="{top + step * lanes[name]:.1f}" r="5" '
        f'style="fill: {colours[name]}"><title>{escape(name)}: {value:.3g}</title></circle>'
        for name, value in row.ratios.items()
    ]
