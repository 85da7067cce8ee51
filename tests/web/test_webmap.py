"""The map that Folium draws: no link leaves the host, every script is signed, names are stable."""

from __future__ import annotations

import re
from collections.abc import Iterator

import folium
import pytest
from branca.element import CssLink, Element, JavascriptLink
from flask import Flask
from folium.plugins import Fullscreen

from gis.settings import ROOT
from gis.web import webmap
from gis.web.webmap import LOCAL, LocalFigure, MapView, NetLayer, OutsideRequestError

VIEW = MapView((120.5, 30.25, 120.54, 30.27), "abc", 1, "zh", (NetLayer("admin", 3), NetLayer("unit_grid", 4)), "n0nce")


@pytest.fixture
def asked() -> Iterator[None]:
    app = Flask("test", root_path=str(ROOT))
    with app.test_request_context("/"):
        yield


@pytest.fixture
def html(asked: None) -> str:
    parts = webmap.operator_map(VIEW)
    return parts.header + parts.body + parts.script


def test_nothing_on_the_map_asks_another_host(html: str) -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org)", html)
    assert not webmap.OUTSIDE.search(html)


def test_every_script_and_style_carries_the_nonce(html: str) -> None:
    opened = re.findall(r"<(?:script|style)\b[^>]*>", html)
    assert opened
    assert [tag for tag in opened if 'nonce="n0nce"' not in tag] == []


def test_every_linked_file_is_there(html: str) -> None:
    linked = re.findall(r'(?:src|href)="/static/([^"]+)"', html)
    assert len(linked) > 6
    assert [file for file in linked if not (ROOT / "static" / file).is_file()] == []


def test_our_scripts_come_behind_the_libraries(html: str) -> None:
    assert (
        html.index("leaflet.js") < html.index("VectorGrid") < html.index("js/vectorgrid-fix.js") < html.index("L.map(")
    )


def test_people_may_enlarge_the_page(html: str) -> None:
    assert "user-scalable" not in html


def test_jquery_and_bootstrap_stay_out(html: str) -> None:
    assert "jquery" not in html
    assert "bootstrap" not in html


@pytest.mark.parametrize(
    "name", ["map_main", "net_3", "net_4", "live_issues", "cluster_issues", "density_issues", "straddlers_parted"]
)
def test_layers_have_the_names_our_scripts_know(html: str, name: str) -> None:
    assert f"var {name} = " in html


def test_the_view_is_set_before_any_layer(html: str) -> None:
    assert html.index("fitBounds") < html.index("Shaotu.basemap(") < html.index("vectorGrid.protobuf")


def test_the_cells_do_not_lie_under_a_canvas_that_takes_their_clicks(html: str) -> None:
    assert '"preferCanvas": true' not in html


def test_a_plugin_without_a_copy_of_ours_stops_the_page(asked: None) -> None:
    figure = LocalFigure("n")
    drawn = webmap.BareMap(tiles=None)
    drawn.add_child(Fullscreen())
    figure.add_child(drawn)
    with pytest.raises(OutsideRequestError, match="fullscreen"):
        figure.parts()


@pytest.mark.parametrize("link", [JavascriptLink("//cdn.example/x.js"), CssLink("https://cdn.example/x.css")])
def test_a_strange_link_stops_the_page(asked: None, link: Element) -> None:
    figure = LocalFigure("n")
    figure.header.add_child(link)
    with pytest.raises(OutsideRequestError):
        figure.parts()


@pytest.mark.parametrize("html", ['<img src="https://x.example/a.png">', "<script src=//x.example/a.js></script>"])
def test_a_link_in_the_body_stops_the_page(asked: None, html: str) -> None:
    figure = LocalFigure("n")
    figure.html.add_child(Element(html))
    with pytest.raises(OutsideRequestError):
        figure.parts()


def test_every_link_of_the_base_is_one_we_know() -> None:
    bare = [*webmap.BareMap.default_js, *webmap.BareMap.default_css]
    assert {url for _, url in bare} <= {*LOCAL}
    assert len(folium.Map.default_js) > 1, "Folium's own list must stay as it was"
