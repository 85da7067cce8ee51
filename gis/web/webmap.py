"""The map of our pages, drawn by Folium. This is the only file that knows Folium.

Folium links to half a dozen hosts. Here every link is replaced by our own copy, and one that has none stops the page:
a new plugin can never reach out unnoticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import folium
from branca.element import Element, Figure, Link, MacroElement
from flask import url_for
from folium.plugins import HeatMap, MarkerCluster, Realtime, VectorGridProtobuf
from folium.template import Template
from folium.utilities import JsCode

LOCAL = {
    "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet.js": "leaflet/dist/leaflet.js",
    "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet.css": "leaflet/dist/leaflet.css",
    "https://unpkg.com/leaflet.vectorgrid@latest/dist/Leaflet.VectorGrid.bundled.js": (
        "leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.min.js"
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/leaflet.markercluster/1.1.0/leaflet.markercluster.js": (
        "leaflet.markercluster/dist/leaflet.markercluster.js"
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/leaflet.markercluster/1.1.0/MarkerCluster.css": (
        "leaflet.markercluster/dist/MarkerCluster.css"
    ),
    # its colours mean nothing here and clash with the ones that do
    "https://cdnjs.cloudflare.com/ajax/libs/leaflet.markercluster/1.1.0/MarkerCluster.Default.css": None,
    "https://cdnjs.cloudflare.com/ajax/libs/leaflet-realtime/2.2.0/leaflet-realtime.js": (
        "leaflet-realtime/dist/leaflet-realtime.js"
    ),
    "https://cdn.jsdelivr.net/gh/python-visualization/folium@main/folium/templates/leaflet_heat.min.js": (
        "folium/templates/leaflet_heat.min.js"
    ),
}
# Scripts of ours that Folium's own script calls while it builds the map, in this order, behind the libraries.
DRAWING = ("js/vectorgrid-fix.js", "js/basemap.js", "js/units.js", "js/pins.js")
# Without units and pins on it.
GROUND = ("js/basemap.js",)
# An edition that answers for no date yet, over the one in force.
PREVIEW = ("js/vectorgrid-fix.js", "js/basemap.js", "js/admin/preview.js")
OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)
# a page says itself how wide it is, and lets people enlarge it
VIEWPORT = re.compile(r"<meta name=\"viewport\"[^>]*>")
OPENING_TAG = re.compile(r"<(script|style)\b(?![^>]*\bnonce=)", re.IGNORECASE)
# more is darker and redder: one way up, told apart also by people who see colours differently
DENSITY = {0.25: "#fed976", 0.5: "#fd8d3c", 0.75: "#f03b20", 1.0: "#bd0026"}
Bounds = tuple[float, float, float, float]


class OutsideRequestError(RuntimeError):
    """Something on the map would ask another host: a fault of the program, never of its user."""


@dataclass(frozen=True)
class NetLayer:
    """A net as the map shows it: its edition's tiles."""

    net: str
    edition_id: int


@dataclass(frozen=True)
class MapView:
    """What the page wants drawn. bounds: west, south, east, north in degrees; drawing: in which way tiles are drawn."""

    bounds: Bounds
    base_version: str
    drawing: int
    locale: str
    nets: tuple[NetLayer, ...]
    nonce: str
    # where the base map's tiles are asked for
    base: str = "/tiles/base"


@dataclass(frozen=True)
class Parts:
    """The three pieces of HTML a page takes in."""

    header: str
    body: str
    script: str


class LocalFigure(Figure):  # type: ignore[misc]
    """A figure whose every link is ours and whose every script carries the page's nonce."""

    def __init__(self, nonce: str, drawing: tuple[str, ...] = DRAWING) -> None:
        super().__init__()
        self._nonce = nonce
        self._drawing = drawing

    def parts(self) -> Parts:
        """Render the children once; raise OutsideRequestError if anything would leave the host."""
        for child in list(self._children.values()):
            child.render()
        self._use_local_links()
        self.header.add_child(Element("".join(_script_link(url_for("static", filename=f)) for f in self._drawing)))
        parts = Parts(
            header=self._signed(VIEWPORT.sub("", self.header.render())),
            body=self.html.render(),
            script=self._signed(f"<script>{self.script.render()}</script>"),
        )
        for part in (parts.header, parts.body, parts.script):
            if OUTSIDE.search(part):
                raise OutsideRequestError(part)
        return parts

    def _use_local_links(self) -> None:
        for name, element in list(self.header._children.items()):  # noqa: SLF001 - branca has no other door
            if not isinstance(element, Link):
                continue
            if element.url not in LOCAL:
                raise OutsideRequestError(element.url)
            local = LOCAL[element.url]
            if local is None:
                del self.header._children[name]  # noqa: SLF001
            else:
                element.url = url_for("static", filename=f"vendor/{local}")

    def _signed(self, html: str) -> str:
        return OPENING_TAG.sub(rf'<\1 nonce="{self._nonce}"', html)


class BareMap(folium.Map):  # type: ignore[misc]
    """Folium's map with Leaflet alone: no Bootstrap, no jQuery, no icon fonts."""

    default_js = [next(pair for pair in folium.Map.default_js if pair[0] == "leaflet")]  # noqa: RUF012
    default_css = [next(pair for pair in folium.Map.default_css if pair[0] == "leaflet_css")]  # noqa: RUF012


class BaseMap(MacroElement):  # type: ignore[misc]
    """The base map from our own tiles, and its names on a pane above the grid cells."""

    default_js = (("protomaps", "protomaps-leaflet/dist/protomaps-leaflet.js"),)
    _template = Template(
        """
        {% macro script(this, kwargs) %}
            Shaotu.basemap({{ this._parent.get_name() }}, {{ this.url|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, url: str) -> None:
        super().__init__()
        self._name = "BaseMap"
        self.url = url

    def render(self, **kwargs: object) -> None:
        """Link the library that paints, then render."""
        for name, path in self.default_js:
            link = _script_link(url_for("static", filename=f"vendor/{path}"))
            self.get_root().header.add_child(Element(link), name=name)
        super().render(**kwargs)


def operator_map(view: MapView) -> Parts:
    """Render the operator's map: base map, one layer for each net, issues in clusters, their density."""
    return _drawn(view, _layers(view), DRAWING)


def ground_map(view: MapView) -> Parts:
    """Render the base map alone, for a page that colours units on it."""
    return _drawn(view, [_base(view)], GROUND)


def preview_map(view: MapView) -> Parts:
    """Render the base map with whole nets on it, each drawn as its name says; the last lies on top."""
    layers = [_named(_preview_layer(net, view), net.net, "net") for net in view.nets]
    return _drawn(view, [_base(view), *layers], PREVIEW)


def _drawn(view: MapView, layers: Iterable[Element], drawing: tuple[str, ...]) -> Parts:
    figure = LocalFigure(view.nonce, drawing)
    drawn = BareMap(
        tiles=None,
        zoom_control=False,
        attributionControl=False,
        # Leaflet's one big canvas would lie over the cells and swallow their clicks
        prefer_canvas=False,
        # with tiles=None Folium drops its own max_zoom
        maxZoom=20,
        minZoom=8,
        zoomSnap=1,
        worldCopyJump=False,
    )
    _name(drawn, "main", "map")
    west, south, east, north = view.bounds
    # before any layer, so that no tile of a first wrong view is asked for
    drawn.fit_bounds([[south, west], [north, east]])
    for child in layers:
        drawn.add_child(child)
    figure.add_child(drawn)
    return figure.parts()


def _layers(view: MapView) -> Iterable[Element]:
    yield _base(view)
    for net in view.nets:
        yield _named(_net_layer(net, view), str(net.edition_id), "net")
    yield _named(_straddlers(view), "parted", "straddlers")
    yield _named(_points(view), "registered", "points")
    density = HeatMap(
        [], name="density", show=False, radius=26, blur=22, max_zoom=15, min_opacity=0.15, gradient=DENSITY
    )
    yield _named(density, "issues", "density")
    cluster = MarkerCluster(
        name="issues",
        icon_create_function="Shaotu.clusterIcon",
        options={
            "maxClusterRadius": 46,
            "disableClusteringAtZoom": 18,
            "showCoverageOnHover": False,
            "spiderLegPolylineOptions": {"weight": 1},
            "chunkedLoading": True,
        },
    )
    yield _named(cluster, "issues", "cluster")
    live = Realtime(
        JsCode("Shaotu.issues"),
        start=False,
        get_feature_id=JsCode("Shaotu.issueId"),
        container=cluster,
        point_to_layer=JsCode("Shaotu.pin"),
        update_feature=JsCode("Shaotu.updatePin"),
        remove_missing=True,
    )
    yield _named(live, "issues", "live")


def _base(view: MapView) -> BaseMap:
    return BaseMap(f"{view.base}/{view.base_version}/{view.locale}/{{z}}/{{x}}/{{y}}.mvt")


def _net_layer(net: NetLayer, view: MapView) -> VectorGridProtobuf:
    # As text: Folium would turn the names of layers and levels into camelCase.
    options = """{
        rendererFactory: L.canvas.tile, interactive: true, maxNativeZoom: 16, pane: "units",
        vectorTileLayerStyles: {units: Shaotu.unitStyle, faults: Shaotu.faultStyle},
        getFeatureId: Shaotu.unitId
    }"""
    url = f"/tiles/units/{net.edition_id}/{view.locale}/{{z}}/{{x}}/{{y}}.mvt?v={view.drawing}"
    return VectorGridProtobuf(url, net.net, options, show=False)


def _preview_layer(net: NetLayer, view: MapView) -> VectorGridProtobuf:
    options = f"""{{
        rendererFactory: L.canvas.tile, interactive: false, maxNativeZoom: 16, pane: "units",
        vectorTileLayerStyles: {{units: Shaotu.drawnAs({json.dumps(net.net)}), faults: Shaotu.faultStyle}}
    }}"""
    url = f"/tiles/units/{net.edition_id}/{view.locale}/{{z}}/{{x}}/{{y}}.mvt?v={view.drawing}"
    return VectorGridProtobuf(url, net.net, options)


def _straddlers(view: MapView) -> VectorGridProtobuf:
    # Passive: its canvas lets the pointer through to the units below, and the page asks it first what was meant.
    options = """{
        rendererFactory: L.canvas.tile, interactive: true, passive: true, maxNativeZoom: 16, pane: "straddlers",
        vectorTileLayerStyles: {straddlers: Shaotu.straddlerStyle}, getFeatureId: Shaotu.placeId
    }"""
    url = f"/tiles/straddlers/{view.base_version}/{{edition}}/{{level}}/{{z}}/{{x}}/{{y}}.mvt"
    return VectorGridProtobuf(url, "straddlers", options, show=False)


def _points(view: MapView) -> VectorGridProtobuf:
    # Passive as the places across a line are: the page asks it first what was meant.
    options = """{
        rendererFactory: L.canvas.tile, interactive: true, passive: true, minZoom: 15, maxNativeZoom: 16,
        pane: "straddlers", vectorTileLayerStyles: {points: Shaotu.pointStyle}, getFeatureId: Shaotu.pointId
    }"""
    return VectorGridProtobuf(f"/tiles/points/{view.base_version}/{{z}}/{{x}}/{{y}}.mvt", "points", options, show=False)


def _named(element: Element, name: str, kind: str) -> Element:
    """Give an element the stable name kind_name, by which our scripts know it."""
    _name(element, name, kind)
    return element


def _name(element: Element, name: str, kind: str) -> None:
    element._name, element._id = kind, name  # noqa: SLF001 - Folium draws random names


def _script_link(url: str) -> str:
    return f"<script src={json.dumps(url)}></script>"
