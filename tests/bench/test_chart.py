"""The chart is well-formed SVG whose dots stand where the ratios say."""

from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.chart import LEFT, RIGHT, WIDTH, Axis, Row, dot_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_holds_one_dot_for_each_ratio_and_one_zone_for_each_row() -> None:
    rows = [
        Row("rate <calls>", 0.2, True, {"trivet": 0.4, "LiteLLM": 0.005}),
        Row("delay", 1.5, False, {"trivet": 1.3, "LiteLLM": 355.0}),
    ]
    root = ElementTree.fromstring(dot_chart("Beside nginx & co", "nginx", rows))  # noqa: S314 - our own
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "rate <calls>" in texts
    dots = [item for item in root.iter(f"{SVG}circle") if item.find(f"{SVG}title") is not None]
    assert len(dots) == 4
    titles = [title.text for dot in dots if (title := dot.find(f"{SVG}title")) is not None]
    assert titles == ["trivet: 0.4", "LiteLLM: 0.005", "trivet: 1.3", "LiteLLM: 355"]


def test_the_chart_has_colours_for_light_and_dark() -> None:
    chart = dot_chart("title", "nginx", [Row("rate", 0.2, True, {"trivet": 0.4})])
    assert "prefers-color-scheme: dark" in chart


@settings(deadline=None)
@given(st.lists(st.floats(min_value=1e-4, max_value=1e4), min_size=1, max_size=20))
def test_every_value_lies_on_the_axis_in_its_order(values: list[float]) -> None:
    axis = Axis(values)
    places = [axis.x(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(LEFT <= place <= WIDTH - RIGHT for place in places)
