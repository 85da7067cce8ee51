// How grid cells, units, faults of the ground and places across lines look. Called by the map's own script for each shape.
"use strict";
window.Shaotu = window.Shaotu || {};

(() => {
  const SHADES = { light: ["#fbe3c0", "#f6b26b", "#e2703a", "#b5342a"], dark: ["#5a4526", "#8a5a28", "#bd6c2f", "#ec8446"] };
  // The darkest shade is for the fullest twentieth of the units of a level: a cell and a city are not counted alike.
  const QUANTILES = [0.5, 0.8, 0.95];
  // the nearer, the fainter: then the ground itself is what one looks at
  const FILL = [0.42, 0.34, 0.24, 0.16];
  const LINE = { light: "#5b6b7d", dark: "#5f7b92" };

  const { nets } = JSON.parse(document.getElementById("boot").textContent);
  const levels = new Map(nets.flatMap((net) => net.levels.map((level, i) => [
    `${net.code}:${level.code}`, { colour: level.colour, depth: net.levels.length - 1 - i },
  ])));

  // Shared with the page: the net that shows, how many issues stand in each unit, whether they shade it.
  // Small units come without their codes: numbers says which key the number of a unit that has issues stands for.
  Shaotu.ground = { net: "", counts: new Map(), numbers: new Map(), shaded: true };

  const steps = new Map();

  // Set the counts and the steps of the shades, from 1 upwards, each at least one more than the one before.
  Shaotu.count = (counts, numbers) => {
    const byLevel = new Map();
    for (const [key, count] of counts) {
      const level = key.slice(0, key.lastIndexOf(":"));
      if (!byLevel.has(level)) byLevel.set(level, []);
      byLevel.get(level).push(count);
    }
    steps.clear();
    for (const [level, values] of byLevel) {
      values.sort((a, b) => a - b);
      const found = [1];
      for (const part of QUANTILES) found.push(Math.max(found.at(-1) + 1, values[Math.floor(values.length * part)]));
      steps.set(level, found);
    }
    Shaotu.ground.counts = counts;
    Shaotu.ground.numbers = numbers;
  };

  // For the legend: colour and range of every shade of a level.
  Shaotu.shades = (level) => {
    const from = steps.get(level) || [1, 2, 3, 4];
    return SHADES[Shaotu.theme()].map((colour, i) => ({ colour, from: from[i], to: (from[i + 1] || Infinity) - 1 }));
  };

  Shaotu.keyOf = (net, unit) => (unit.code ? `${net}:${unit.level}:${unit.code}` : Shaotu.ground.numbers.get(unit.id) || "");

  function shadeOf(unit) {
    const count = Shaotu.ground.counts.get(Shaotu.keyOf(Shaotu.ground.net, unit)) || 0;
    const step = (steps.get(`${Shaotu.ground.net}:${unit.level}`) || []).findLastIndex((from) => count >= from);
    return step === -1 ? null : SHADES[Shaotu.theme()][step];
  }

  Shaotu.unitId = ({ id, properties }) => {
    properties.id = id;
    return properties.kind ? `fault-${id}` : id;
  };

  Shaotu.unitStyle = (unit, zoom) => {
    const { colour, depth } = levels.get(`${Shaotu.ground.net}:${unit.level}`) || { colour: LINE.light, depth: 0 };
    const dark = Shaotu.theme() === "dark";
    // Only the finest level that shows is shaded: shades on shades would tell a wrong number.
    const shade = unit.finest && Shaotu.ground.shaded ? shadeOf(unit) : null;
    return {
      fill: true, fillColor: shade || "#000", fillOpacity: shade ? FILL[Math.min(Math.max(zoom, 14), 17) - 14] + (dark ? 0.08 : 0) : 0, stroke: true,
      color: depth > 0 && !dark ? colour : LINE[Shaotu.theme()],
      weight: Shaotu.scale * (depth > 0 ? 0.6 + Math.min(depth, 3) * 0.7 : zoom < 14 ? 0.4 : 0.7),
      opacity: depth > 0 ? 0.8 : zoom < 14 ? 0.5 : 0.6,
    };
  };

  // What was painted last; only units whose shade differs are painted anew, not a tile of a thousand cells for one issue.
  Shaotu.reshade = (layer) => {
    for (const tile of Object.values(layer._vectorTiles || {})) {
      for (const [id, { feature, layerName }] of Object.entries(tile._features)) {
        if (layerName !== "units" || !feature.properties.finest) continue;
        if ((shadeOf(feature.properties) || "#000") !== feature.options.fillColor) layer.setFeatureStyle(id, Shaotu.unitStyle);
      }
    }
  };

  Shaotu.faultStyle = (fault) => ({
    fill: true, fillColor: fault.kind === "overlap" ? "#b5342a" : "#8a8f98", fillOpacity: 0.45,
    stroke: true, color: fault.kind === "overlap" ? "#b5342a" : "#5b6470", weight: 1.5, dashArray: "4 3",
  });

  Shaotu.placeId = ({ properties: { kind, id } }) => `${kind}-${id}`;

  // Registered points: those kinds alone that were chosen. Colour by the first letters of the kind, the ring by its state.
  Shaotu.pointKinds = new Set();
  const POINTS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#a8420a"];
  const numberOf = (kind) => [...kind].reduce((sum, letter) => sum * 31 + letter.codePointAt(0), 7) >>> 0;
  Shaotu.pointColour = (kind) => POINTS[numberOf(kind) % POINTS.length];
  Shaotu.pointId = ({ id, properties }) => { properties.id = id; return id; };
  Shaotu.pointStyle = ({ kind, state }) => (!Shaotu.pointKinds.has(kind) ? [] : {
    radius: 4.5 * Shaotu.scale, fill: true, fillColor: Shaotu.pointColour(kind), fillOpacity: 0.95, stroke: true,
    color: state === "intact" || !state ? "#ffffff" : "#a3271f", weight: state === "intact" || !state ? 1 : 2.5,
  });

  // Only the outline of an estate is meant by a click: what stands in it could not be reached any more.
  Shaotu.touchesPlace = (place, point) => (place.properties.kind === "estate"
    ? L.Polyline.prototype._containsPoint.call(place, point, true) : place._containsPoint(point));

  Shaotu.straddlerStyle = (place) => ({
    fill: place.kind !== "estate", fillColor: "#7b3fa0", fillOpacity: place.kind === "street" ? 0.18 : 0.4,
    stroke: true, color: Shaotu.theme() === "dark" ? "#c79be6" : "#6b2f90", weight: place.kind === "building" ? 1.2 : 0.8,
    dashArray: place.kind === "estate" ? "5 4" : null,
  });
})();
