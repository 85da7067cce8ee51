// How grid cells, units, faults of the ground and places across lines look. Called by the map's own script for each shape.
"use strict";
window.Shaotu = window.Shaotu || {};

(() => {
  // issues in a unit -> shade; few words are needed for "more is darker"
  const SHADES = { light: ["#fbe3c0", "#f6b26b", "#e2703a", "#b5342a"], dark: ["#4a3a24", "#7d5226", "#b3662d", "#e0783f"] };
  const STEPS = [1, 3, 6, 12];
  const LINE = { light: "#5b6b7d", dark: "#7f9bb3" };

  // Shared with the page: levels by code, how many issues stand in each unit, what is chosen.
  Shaotu.ground = { levels: new Map(), counts: new Map(), shaded: true, chosen: null };

  Shaotu.shades = () => SHADES[Shaotu.theme()].map((colour, i) => ({ colour, from: STEPS[i], to: (STEPS[i + 1] || Infinity) - 1 }));

  function shadeOf(count) {
    const step = STEPS.findLastIndex((from) => count >= from);
    return step === -1 ? null : SHADES[Shaotu.theme()][step];
  }

  function finest(level) {
    return Shaotu.ground.levels.get(level)?.finest;
  }

  Shaotu.unitId = ({ properties }) => (properties.kind ? `fault-${properties.id}` : properties.id);

  Shaotu.unitStyle = (unit, zoom) => {
    const level = Shaotu.ground.levels.get(unit.level) || { colour: LINE.light, depth: 0, key: "" };
    const count = Shaotu.ground.counts.get(`${level.key}:${unit.code}`) || 0;
    const shade = Shaotu.ground.shaded && finest(unit.level) ? shadeOf(count) : null;
    const outer = level.depth > 0;
    return {
      fill: true, fillColor: shade || "#000", fillOpacity: shade ? 0.5 : 0, stroke: true,
      color: outer ? level.colour : LINE[Shaotu.theme()],
      weight: outer ? 1 + Math.min(level.depth, 3) * 0.5 : zoom < 14 ? 0.35 : 0.7,
      opacity: outer ? 0.75 : zoom < 14 ? 0.5 : 0.6,
    };
  };

  Shaotu.chosenStyle = () => ({
    fill: true, fillColor: "#1673b5", fillOpacity: 0.18, stroke: true,
    color: Shaotu.theme() === "dark" ? "#62b6f0" : "#0b5c96", weight: 3, opacity: 1,
  });

  Shaotu.faultStyle = (fault) => ({
    fill: true, fillColor: fault.kind === "overlap" ? "#b5342a" : "#8a8f98", fillOpacity: 0.45,
    stroke: true, color: fault.kind === "overlap" ? "#b5342a" : "#5b6470", weight: 1.5, dashArray: "4 3",
  });

  Shaotu.straddlerId = (feature) => `${feature.properties.kind}-${feature.properties.id}`;

  Shaotu.straddlerStyle = (place) => ({
    fill: place.kind !== "estate", fillColor: "#7b3fa0", fillOpacity: place.kind === "street" ? 0.18 : 0.4,
    stroke: true, color: Shaotu.theme() === "dark" ? "#c79be6" : "#6b2f90", weight: place.kind === "building" ? 1.2 : 0.8,
    dashArray: place.kind === "estate" ? "5 4" : null,
  });
})();
