// The base map: painted below the grid cells, named above them. Nearly without hue, so that the data carries the colour.
"use strict";
window.Shaotu = window.Shaotu || {};

(() => {
  const PALETTES = {
    light: {
      land: "#f3f1ec", water: "#c3d9e6", park: "#dbe8d2", square: "#eeebe2", building: "#e6e1d8", buildingLine: "#d3ccbf",
      road: ["#ffffff", "#ffffff", "#fdfcfa", "#faf8f4"], casing: "#d9d2c5",
      boundary: "#8d7fa3", area: "#4a4458", halo: "#fbfaf7", street: "#6b6358", estate: "#5d6b57", waterName: "#4d7892",
    },
    dark: {
      land: "#0d151d", water: "#0a2a3d", park: "#10251f", square: "#121d27", building: "#172430", buildingLine: "#20313f",
      road: ["#33475a", "#2a3b4b", "#213040", "#1b2834"], casing: "#0f1922",
      boundary: "#5d83a6", area: "#b5c9dc", halo: "#0d151d", street: "#8fa5b8", estate: "#86a08f", waterName: "#6fa3c0",
    },
  };
  // A wall of four thousand dots is looked at from farther away: what is written on the map grows with the page's letters.
  Shaotu.scale = 1;
  const FONT = '"Noto Sans CJK SC","PingFang SC","Microsoft YaHei","Source Han Sans SC",sans-serif';
  // metres of width at which a street moves up a class
  const CLASSES_M = [36, 22, 12];
  const classOf = (feature) => {
    const place = CLASSES_M.findIndex((width) => (feature.props.width || 0) >= width);
    return place === -1 ? CLASSES_M.length : place;
  };
  // width of a centre line in pixels, by class, at zoom 10, 11, ... before streets are drawn as the areas they are
  const LINE_PX = [[1.2, 1.8, 2.6, 3.6, 5, 8], [0.6, 1, 1.7, 2.6, 3.6, 6], [0, 0.4, 0.8, 1.4, 2.4, 4], [0, 0, 0.3, 0.7, 1.4, 2.6]];
  const lineWidth = (cls, zoom) => Shaotu.scale * LINE_PX[cls][Math.max(0, Math.min(5, Math.round(zoom) - 10))];
  const AREAS_FROM_Z = 15;

  const { PolygonSymbolizer, LineSymbolizer, CenteredTextSymbolizer, LineLabelSymbolizer } = protomapsL;

  function paintRules(colour) {
    const fill = (layer, symbolizer, more = {}) => ({ dataLayer: layer, symbolizer: new PolygonSymbolizer(symbolizer), ...more });
    const ofKind = (...kinds) => (_zoom, feature) => kinds.includes(feature.props.kind);
    const rules = [
      fill("land", { fill: colour.park }, { filter: ofKind("park", "green", "forest", "grass") }),
      fill("land", { fill: colour.square }, { filter: (_z, f) => !["park", "green", "forest", "grass", "water"].includes(f.props.kind) }),
      fill("land", { fill: colour.water }, { filter: ofKind("water") }),
    ];
    rules.push(fill("roads", { fill: colour.road[3], stroke: colour.casing, width: 1.6 }, { minzoom: AREAS_FROM_Z }));
    for (const cls of [3, 2, 1, 0]) {
      rules.push(fill("roads", { fill: colour.road[cls] }, { minzoom: AREAS_FROM_Z, filter: (_z, f) => classOf(f) === cls }));
    }
    rules.push(fill("buildings", { fill: colour.building, stroke: colour.buildingLine, width: 0.6 }, { minzoom: 14 }));
    for (const [extra, paint] of [[1.2, () => colour.casing], [0, (cls) => colour.road[cls]]]) {
      for (const cls of [3, 2, 1, 0]) {
        const width = (zoom) => (lineWidth(cls, zoom) ? lineWidth(cls, zoom) + extra : 0.01);
        rules.push({
          dataLayer: "lines", maxzoom: AREAS_FROM_Z - 1, filter: (_z, f) => classOf(f) === cls,
          symbolizer: new LineSymbolizer({ color: paint(cls), width, lineCap: "round", lineJoin: "round" }),
        });
      }
    }
    return rules;
  }

  // The lines of districts and subdistricts lie above the cells of whatever net shows.
  const boundaryRules = (colour) => [[0, 2.4, 0.9], [1, 2.2, 0.9], [2, 1.3, 0.75], [3, 0.8, 0.45]].map(([rank, width, opacity]) => ({
    dataLayer: "boundaries", filter: (_z, f) => Math.min(f.props.rank, 3) === rank,
    symbolizer: new LineSymbolizer({ color: colour.boundary, width: width * Shaotu.scale, opacity, lineJoin: "round" }),
  }));

  function labelRules(colour) {
    const name = Shaotu.locale === "en" ? ["name_en", "name"] : ["name"];
    const scaled = (font) => font.replace(/(\d+)px/, (_, size) => `${Math.round(size * Shaotu.scale)}px`);
    const text = (fill, font, more = {}) => ({ labelProps: name, fill, stroke: colour.halo, width: 2.4, font: `${scaled(font)} ${FONT}`, ...more });
    const at = (layer, options, more = {}) => ({ dataLayer: layer, symbolizer: new CenteredTextSymbolizer(options), ...more });
    const areas = [[1, 9, 13, "600 16px"], [2, 13, 16, "600 14px"], [3, 15, 17, "500 12px"]].map(([rank, minzoom, maxzoom, font]) =>
      at("areas", text(colour.area, font, { lineHeight: 1.2 }), { minzoom, maxzoom, filter: (_z, f) => f.props.rank === rank }));
    const streets = [[0, 12, "500 12px"], [1, 13, "500 12px"], [2, 14, "12px"], [3, 16, "11px"]].map(([cls, minzoom, font]) => ({
      dataLayer: "lines", minzoom, filter: (_z, f) => classOf(f) === cls,
      symbolizer: new LineLabelSymbolizer(text(colour.street, font, { repeatDistance: 400, maxLabelCodeUnits: 40 })),
    }));
    return [
      ...areas,
      at("names", text(colour.waterName, "italic 12px"), { minzoom: 12, filter: (_z, f) => f.props.kind === "water" }),
      at("names", text(colour.estate, "12px"), { minzoom: 14, filter: (_z, f) => !["water", "building"].includes(f.props.kind) }),
      ...streets,
      at("estates", text(colour.estate, "12px"), { minzoom: 15 }),
      at("names", text(colour.street, "11px"), { minzoom: 17, filter: (_z, f) => f.props.kind === "building" }),
    ];
  }

  function pane(map, name, zIndex, catches) {
    const made = map.createPane(name);
    made.style.zIndex = zIndex;
    if (!catches) made.style.pointerEvents = "none";
  }

  Shaotu.theme = () => document.documentElement.dataset.theme || "light";
  Shaotu.palette = () => PALETTES[Shaotu.theme()];

  Shaotu.basemap = (map, url) => {
    // asked here and not above: only now are the style sheets in force
    Shaotu.scale = Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);
    pane(map, "ground", 150, false);
    pane(map, "units", 250, true);
    pane(map, "straddlers", 300, false);
    pane(map, "names", 450, false);
    const common = { url, maxDataZoom: 16, attribution: "", noWrap: true };
    const ground = protomapsL.leafletLayer({ ...common, pane: "ground" });
    const names = protomapsL.leafletLayer({ ...common, pane: "names" });
    Shaotu.repaint = () => {
      const colour = Shaotu.palette();
      ground.paintRules = paintRules(colour);
      ground.backgroundColor = colour.land;
      names.paintRules = boundaryRules(colour);
      names.labelRules = labelRules(colour);
      names.clearLayout();
      ground.rerenderTiles();
      names.rerenderTiles();
    };
    Shaotu.repaint();
    // Asked for by the page once its first question is on the way: a browser opens six connections, and tiles would
    // take them all.
    Shaotu.showBasemap = () => { if (!Shaotu.groundHidden) ground.addTo(map); names.addTo(map); };
    // A base map of another host takes the place of our own; its lines and names stay above.
    Shaotu.hideGround = (hidden) => {
      Shaotu.groundHidden = hidden;
      if (hidden) ground.remove();
      else ground.addTo(map);
    };
  };
})();
