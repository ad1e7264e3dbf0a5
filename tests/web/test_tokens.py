"""The colours of the style sheet keep the contrasts and distances that the design guide states."""

import re
from itertools import combinations
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "frontend" / "src" / "css" / "tokens.css"
Rgb = tuple[float, float, float]

# text, ground, at least (WCAG 2.2 contrast ratio): the numbers of the guide, rounded down to one place
TEXT = [
    ("ink", "page", 14.0),
    ("ink-2", "page", 6.4),
    ("ink-3", "page", 4.7),
    ("ink-3", "card", 4.7),
    ("on-brand", "brand", 7.4),
    ("on-brand", "brand-dark", 7.4),
    ("brand", "card", 7.4),
    ("brand", "page", 6.5),
    ("nav-ink", "nav", 9.0),
    ("nav-ink", "nav-on", 4.5),
    ("firm-head-ink", "firm-head", 8.8),
    ("trade-head-ink", "trade-head", 10.1),
    ("forecast-head-ink", "forecast-head", 8.7),
    ("forecast-ink", "forecast-cell", 7.0),
    ("ink-2", "firm-cell", 4.5),
    ("ink-2", "trade-cell", 4.5),
    ("ink-2", "forecast-cell", 4.5),
    ("confirmed", "confirmed-ground", 5.5),
    ("confirmed", "card", 5.5),
    ("waiting", "waiting-ground", 8.9),
    ("risk", "risk-ground", 6.4),
    ("changed", "changed-ground", 7.3),
    ("minus-ink", "card", 6.4),
    ("minus-ink", "minus-ground", 4.5),
    ("deadline-ink", "card", 4.7),
    ("pill-ink", "pill-ground", 7.0),
    ("offline-ink", "offline-ground", 7.0),
]
# edges and lines that carry a meaning: 3 to 1 (WCAG 1.4.11)
SHAPES = [
    ("control-line", "card"),
    ("chart-planned", "chart-firm"),
    ("chart-delivered", "card"),
    ("chart-cover", "chart-trade"),
    ("risk-ground", "card"),
    ("bar", "bar-rest"),
]
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB
BLINDNESS = {
    "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
DISTANCE = {"red": 50, "green": 50, "blue": 20}


def tokens() -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", TOKENS.read_text("utf-8")))


def linear(colour: str) -> Rgb:
    """sRGB hex to linear light, 0..1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return red, green, blue


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(rgb: Rgb) -> Rgb:
    """Linear RGB to CIE L*a*b* under D65."""
    red, green, blue = (min(1.0, max(0.0, part)) for part in rgb)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour: str, blindness: str) -> Rgb:
    source = linear(colour)
    red, green, blue = (sum(a * b for a, b in zip(row, source, strict=True)) for row in BLINDNESS[blindness])
    return lab((red, green, blue))


@pytest.mark.parametrize(("ink", "ground", "least"), TEXT)
def test_text_keeps_its_stated_contrast(ink: str, ground: str, least: float) -> None:
    named = tokens()
    assert contrast(named[ink], named[ground]) >= least


@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_shapes_that_mean_something_stand_out_three_to_one(shape: str, ground: str) -> None:
    named = tokens()
    assert contrast(named[shape], named[ground]) >= 3


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_zone_heads_stay_apart_for_colour_blind_readers(blindness: str) -> None:
    named = tokens()
    heads = [seen(named[f"{zone}-head"], blindness) for zone in ("firm", "trade", "forecast")]
    apart = [sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 for pair in combinations(heads, 2)]
    assert min(apart) > DISTANCE[blindness]


@pytest.mark.parametrize("ground", ["forecast-head", "forecast-cell"])
def test_hatch_lines_stay_within_eight_percent_of_their_ground(ground: str) -> None:
    named = tokens()
    pairs = zip(linear_steps(named[ground]), linear_steps(named[f"{ground}-hatch"]), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= 0.08


def linear_steps(colour: str) -> list[float]:
    """The three channels as stored, 0..1."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def test_zone_and_state_colours_are_the_guides_own() -> None:
    named = tokens()
    stated = {
        "ink": "#14232b", "brand": "#0b5c74", "nav": "#0f2f3f", "control-line": "#7d919b",
        "firm-head": "#0b4f71", "trade-head": "#f6d58a", "forecast-head": "#e4def3",
        "confirmed": "#1b6b4a", "waiting-ground": "#f2b63c", "risk-ground": "#b3261e", "changed": "#43346f",
        "chart-planned": "#33444d", "chart-delivered": "#0b7a9b", "chart-cover": "#c2570c",
    }  # fmt: skip
    assert {name: named[name] for name in stated} == stated
