// Base maps of other hosts, asked of our own. Shifted tiles are put back where they belong: our data stays where it is.

import { boot, t } from "./words.js";
import { button } from "./dom.js";
import { clear, notice } from "./doors.js";
import { map } from "./map.js";
import { fromWgs } from "./datums.js";

const laid = { code: "", layers: [] };

// Tiles of GCJ-02 are set off by what the datum is off at the tile's own middle.
const Shifted = L.TileLayer.extend({
  _getTilePos(coords) {
    const place = L.TileLayer.prototype._getTilePos.call(this, coords);
    const size = this.getTileSize();
    const middle = this._map.unproject(coords.scaleBy(size).add(size.divideBy(2)), coords.z);
    const [lon, lat] = fromWgs(middle.lng, middle.lat, "GCJ02");
    const there = this._map.project([lat, lon], coords.z);
    return place.subtract(there.subtract(this._map.project(middle, coords.z)).round());
  },
  // the shift pulls tiles of the rim in: one more on each side
  _pxBoundsToTileRange(bounds) {
    const range = L.TileLayer.prototype._pxBoundsToTileRange.call(this, bounds);
    return L.bounds(range.min.subtract([1, 1]), range.max.add([1, 1]));
  },
});

export function show(code) {
  if (laid.code === code) return;
  for (const layer of laid.layers) layer.remove();
  const listed = boot.online.find((each) => each.code === code);
  laid.code = listed ? code : "";
  laid.layers = listed ? Array.from({ length: listed.layers }, (_, nth) => layer(listed, nth).addTo(map)) : [];
  window.Shaotu.hideGround(Boolean(listed));
  if (!listed) clear("base");
}

function layer({ code, datum, max_zoom: last }, nth) {
  const Kind = datum === "GCJ02" ? Shifted : L.TileLayer;
  const made = new Kind(`/tiles/online/${code}/${nth}/{z}/{x}/{y}`, { pane: "ground", maxNativeZoom: last, maxZoom: 20, className: `online online-${nth}` });
  return made.on("tileerror", () => notice("base", t("base.failed"), button(t("close"), () => clear("base"))));
}
