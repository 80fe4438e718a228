"""Chart of makespans, as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

WIDTH, LABEL, BAR, GAP = 720, 170, 22, 10
"""Sizes in pixels: of the picture, of the names at its left, of a bar, between two bars."""
COLOURS = {"fill": "#4477aa", "ideal": "#cc3311", "text": "#444444"}


def chart(title: str, makespans: Mapping[str, float], ideal: float) -> str:
    """SVG with one bar for each policy, and a line at the shortest makespan that is possible, in seconds."""
    scale = (WIDTH - LABEL - 80) / max(makespans.values())
    height = 40 + len(makespans) * (BAR + GAP) + 30
    svg = ElementTree.Element(
        "svg",
        {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH)},
    )
    ElementTree.SubElement(svg, "rect", {"width": str(WIDTH), "height": str(height), "fill": "#ffffff"})
    _text(svg, 10, 22, title, weight="bold")
    for row, (name, makespan) in enumerate(makespans.items()):
        top = 40 + row * (BAR + GAP)
        _text(svg, 10, top + BAR - 6, name)
        place = {"x": str(LABEL), "y": str(top), "height": str(BAR), "width": f"{makespan * scale:.1f}"}
        ElementTree.SubElement(svg, "rect", {**place, "fill": COLOURS["fill"]})
        _text(svg, LABEL + makespan * scale + 6, top + BAR - 6, f"{makespan:,.0f} s")
    at = f"{LABEL + ideal * scale:.1f}"
    line = {"x1": at, "x2": at, "y1": "36", "y2": str(height - 26), "stroke": COLOURS["ideal"], "stroke-width": "2"}
    ElementTree.SubElement(svg, "line", {**line, "stroke-dasharray": "4 3"})
    _text(svg, float(at) - 60, height - 10, f"no worker ever idle: {ideal:,.0f} s")
    ElementTree.indent(svg)
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


def _text(svg: ElementTree.Element, x: float, y: float, text: str, weight: str = "normal") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "font-family": "sans-serif", "font-size": "13"}
    ElementTree.SubElement(svg, "text", {**place, "font-weight": weight, "fill": COLOURS["text"]}).text = text
