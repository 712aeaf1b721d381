"""Facts about the bar chart: what it draws, what it says aloud, what it hides."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

from tests.rules.tell.records import PROTECTED, Series, network, people, spread

from resguardo.count.disclosure import SafeTable
from resguardo.tell.chart import bars_of, bars_svg
from resguardo.tell.figure import Recipe

SIX = {"MX": 41, "GT": 27, "HN": 24, "SV": 22, "CR": 19, "PA": 29}
SVG = "{http://www.w3.org/2000/svg}"


def course(*, protected: bool = False, **more: int) -> SafeTable:
    """People who finished a course, by country."""
    rows = spread({**SIX, **more}, month="2022-07")
    series = Series(rows, population=PROTECTED) if protected else Series(rows)
    return network(n=series)(Recipe("p.n", by=("country",), as_of=date(2022, 8, 8)))


def test_the_bars_are_those_of_the_table_largest_first() -> None:
    bars = bars_of(course(), "es")
    assert [(bar.label, bar.text) for bar in bars] == [
        ("México", "41"),
        ("Panamá", "29"),
        ("Guatemala", "27"),
        ("Honduras", "24"),
        ("El Salvador", "22"),
        ("Costa Rica", "19"),
    ]


def test_the_picture_says_aloud_what_it_shows() -> None:
    svg = bars_svg(course(), "es", title="Personas formadas por país")
    assert 'role="img"' in svg
    assert (
        'aria-label="Personas formadas por país: México 41, Panamá 29, Guatemala 27, Honduras 24, '
        'El Salvador 22, Costa Rica 19"' in svg
    )


def test_the_picture_is_well_formed_without_script_or_style() -> None:
    svg = bars_svg(course(protected=True, DO=5), "es", title="<b>a & b</b>")
    root = ElementTree.fromstring(svg)  # noqa: S314 (we wrote it a line ago)
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names <= {"svg", "defs", "pattern", "rect", "path", "text"}
    assert not any("style" in element.attrib for element in root.iter())
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert root.attrib["aria-label"].startswith("<b>a & b</b>: ")


def test_the_longest_bar_belongs_to_the_largest_group() -> None:
    root = ElementTree.fromstring(bars_svg(course(), "es", title="t"))  # noqa: S314
    widths = [float(element.attrib["width"].rstrip("%")) for element in root.iter(f"{SVG}rect")]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] / widths[-1] > 41 / 19 - 0.1


def test_a_protected_group_is_hatched_and_shows_no_number() -> None:
    table = course(protected=True, DO=5)
    bars = bars_of(table, "en")
    hidden = [bar for bar in bars if bar.is_protected]
    assert "Dominican Republic" in {bar.label for bar in hidden}
    assert all((bar.text, bar.spoken) == ("<15", "protected, fewer than 15") for bar in hidden)
    assert bars[: len(bars) - len(hidden)] == tuple(bar for bar in bars if not bar.is_protected)
    root = ElementTree.fromstring(bars_svg(table, "en", title="t"))  # noqa: S314
    hatched = [element for element in root.iter(f"{SVG}rect") if element.get("class") == "protected"]
    assert len(hatched) == len(hidden)
    assert len({element.attrib["width"] for element in hatched}) == 1
    assert "protected, fewer than 15" in root.attrib["aria-label"]


def test_only_a_chart_with_something_protected_has_the_hatch() -> None:
    assert "hatch" not in bars_svg(course(), "es", title="t")


def test_a_table_without_groups_makes_an_empty_picture_with_a_name() -> None:
    table = network(n=Series((), unit="event"))(Recipe("p.n", by=("country",), as_of=date(2022, 8, 8)))
    assert 'aria-label="Personas: no hay datos"' in bars_svg(table, "es", title="Personas")


def test_years_stay_in_their_order() -> None:
    rows = tuple(row for year in (2023, 2022) for row in people(year - 2000, month=f"{year}-05"))
    table = network(n=Series(rows, unit="event"))(Recipe("p.n", by=("year",), as_of=date(2024, 1, 1)))
    assert [bar.label for bar in bars_of(table, "es")] == ["2022", "2023"]


def test_shares_are_drawn_in_percent() -> None:
    rows = (*people(30, country="MX", sex="female"), *people(90, country="MX", sex="male"))
    series = Series(rows, measure="share", unit="event", part="sex = female")
    table = network(n=series)(Recipe("p.n", by=("country",), as_of=date(2024, 1, 1)))
    (bar,) = bars_of(table, "es")
    assert (bar.text, bar.value) == ("25.0\u00a0%", 25.0)


def test_labels_of_other_lists_are_handed_in() -> None:
    table = course()
    bars = bars_of(table, "es", label=lambda key: f"<{key[0]}>")
    assert bars[0].label == "<MX>"
    assert "&lt;MX&gt;" in bars_svg(table, "es", title="t", label=lambda key: f"<{key[0]}>")


def test_a_long_label_is_whole_in_the_picture_and_aloud() -> None:
    name = "Un municipio de nombre larguísimo"
    svg = bars_svg(course(), "es", title="t", label=lambda key: f"{name} {key[0]}")
    assert f">{name} MX<" in svg
    assert f"{name} MX 41" in svg
