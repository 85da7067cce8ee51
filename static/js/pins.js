// How issues look on the map: a dot where all is clear, and where it is not, what it is: two halves for a place across a
// line, a dashed ring for one near a line, a hollow diamond on nobody's ground. Built as nodes: never as text of a user.
"use strict";
window.Shaotu = window.Shaotu || {};

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  // told apart also by people who see colours differently
  const SIDES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const size = () => Math.round(26 * Shaotu.scale);

  function svg(name, attributes, ...children) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function colourOf(key) {
    let sum = 7;
    for (const letter of key) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
    return sum % SIDES.length;
  }

  // Neighbours on one pin never share a colour.
  Shaotu.sideColours = (sides) => {
    const taken = new Set();
    return sides.map(({ key }) => {
      let at = colourOf(key);
      while (taken.has(at) && taken.size < SIDES.length) at = (at + 1) % SIDES.length;
      taken.add(at);
      return SIDES[at];
    });
  };

  function sector(from, to, radius, fill) {
    if (to - from >= 0.999) return svg("circle", { cx: 13, cy: 13, r: radius, fill });
    const point = (turn) => [13 + radius * Math.sin(2 * Math.PI * turn), 13 - radius * Math.cos(2 * Math.PI * turn)].map((n) => n.toFixed(2));
    const large = to - from > 0.5 ? 1 : 0;
    return svg("path", { d: `M13 13L${point(from)}A${radius} ${radius} 0 ${large} 1 ${point(to)}Z`, fill });
  }

  function halves(sides, radius) {
    const colours = Shaotu.sideColours(sides);
    const whole = sides.reduce((sum, side) => sum + side.part, 0) || 1;
    let turn = 0;
    return sides.map((side, i) => sector(turn, (turn += side.part / whole), radius, colours[i]));
  }

  // One drawing for the map, the list and the legend. sides: [{key, part}], largest first.
  Shaotu.mark = (flags, sides = []) => {
    const has = (flag) => flags.includes(flag);
    const node = svg("svg", { viewBox: "0 0 26 26", width: size(), height: size(), class: "mark", "aria-hidden": "true" });
    const shared = sides.length > 1 ? sides : null;
    if (has("unlocated")) {
      node.append(svg("circle", { cx: 13, cy: 13, r: 8, class: "mark-ring" }), svg("path", { d: "M13 8v6M13 17v.5", class: "mark-hollow" }));
    } else if (has("in_gap")) {
      node.append(svg("path", { d: "M13 4L22 13L13 22L4 13Z", class: "mark-hollow" }));
    } else if (has("outside")) {
      node.append(svg("circle", { cx: 13, cy: 13, r: 7, class: "mark-hollow" }), svg("path", { d: "M8.200 17.800L17.800 8.200", class: "mark-hollow" }));
    } else if (has("in_overlap")) {
      node.append(svg("circle", { cx: 10, cy: 13, r: 6, class: "mark-hollow" }), svg("circle", { cx: 16, cy: 13, r: 6, class: "mark-hollow" }));
    } else if (has("straddles")) {
      node.append(svg("circle", { cx: 13, cy: 13, r: 10, class: "mark-rim" }), ...halves(shared || [{ key: "a", part: 1 }, { key: "b", part: 1 }], 8.5));
    } else if (has("near_boundary")) {
      node.append(svg("circle", { cx: 13, cy: 13, r: 10.5, class: "mark-ring" }), svg("circle", { cx: 13, cy: 13, r: 7, class: "mark-rim" }),
        ...(shared ? halves(shared, 6) : [svg("circle", { cx: 13, cy: 13, r: 6, class: "mark-dot" })]));
    } else if (has("exclave")) {
      node.append(svg("rect", { x: 5, y: 5, width: 16, height: 16, rx: 3, class: "mark-ring" }), svg("circle", { cx: 13, cy: 13, r: 6, class: "mark-rim" }), svg("circle", { cx: 13, cy: 13, r: 4.6, class: "mark-dot" }));
    } else {
      node.append(svg("circle", { cx: 13, cy: 13, r: 7, class: "mark-rim" }), svg("circle", { cx: 13, cy: 13, r: 5.5, class: "mark-dot" }));
    }
    return node;
  };

  // The page may ask for another look: {colour, path} a shape, or {colour, ink, sign} a disc with a sign. Set in paint.js.
  Shaotu.paint = null;

  function painted({ colour, ink, sign, path, hollow }, flags) {
    const node = svg("svg", { viewBox: "0 0 26 26", width: size(), height: size(), class: "mark", "aria-hidden": "true" });
    if (flags.some((flag) => flag === "straddles" || flag === "near_boundary")) node.append(svg("circle", { cx: 13, cy: 13, r: 12, class: "mark-ring" }));
    if (path) {
      const rim = svg("path", { d: path, transform: "translate(3.400 3.400) scale(.8)", class: "mark-rim", "stroke-width": 3 });
      node.append(rim, svg("path", { d: path, transform: "translate(3.400 3.400) scale(.8)", fill: hollow ? "none" : colour, stroke: colour, "stroke-width": hollow ? 4 : 1 }));
      return node;
    }
    const letter = svg("text", { x: 13, y: 17, "text-anchor": "middle", "font-size": 11, "font-weight": 700, fill: ink });
    letter.textContent = sign;
    node.append(svg("circle", { cx: 13, cy: 13, r: 10, class: "mark-rim" }), svg("circle", { cx: 13, cy: 13, r: 9, fill: colour }), letter);
    return node;
  }

  Shaotu.issueId = (feature) => feature.id;

  // Filled by the page: what the map shows now, and the sides of those that stand in more than one place.
  Shaotu.store = { features: [], sides: new Map() };
  Shaotu.issues = (done) => done({ type: "FeatureCollection", features: Shaotu.store.features });

  // All that an icon is drawn from: one that would look the same is not drawn anew, or a thousand pins would hold up the page.
  const lookOf = (feature) => JSON.stringify([Shaotu.paint?.(feature), feature.properties.flags, Shaotu.store.sides.get(feature.id), size()]);

  function icon(feature) {
    const look = Shaotu.paint?.(feature);
    const html = look ? painted(look, feature.properties.flags) : Shaotu.mark(feature.properties.flags, Shaotu.store.sides.get(feature.id));
    return L.divIcon({ html, className: "pin", iconSize: [size(), size()] });
  }

  Shaotu.pin = (feature, latlng) => {
    // The list beside the map is the way by keyboard; a thousand pins would be a thousand stops.
    const marker = L.marker(latlng, { icon: icon(feature), keyboard: false, alt: feature.id, riseOnHover: true });
    marker.look = lookOf(feature);
    marker.on("click", () => Shaotu.onPin?.(feature.id));
    return marker;
  };

  Shaotu.updatePin = (feature, old) => {
    if (!old) return null;
    const there = L.GeoJSON.coordsToLatLng(feature.geometry.coordinates);
    // A marker inside a cluster cannot move; it is taken out and set anew.
    if (!old.getLatLng().equals(there)) return null;
    const look = lookOf(feature);
    if (old.look !== look) old.setIcon(icon(feature));
    old.look = look;
    return old;
  };

  Shaotu.clusterIcon = (cluster) => {
    const count = cluster.getChildCount();
    const node = document.createElement("span");
    node.textContent = String(count);
    const wide = Math.round(Shaotu.scale * (count < 10 ? 30 : count < 100 ? 36 : count < 1000 ? 44 : 52));
    return L.divIcon({ html: node, className: "cluster", iconSize: [wide, wide] });
  };
})();
