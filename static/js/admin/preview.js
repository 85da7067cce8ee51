// How an edition looks that answers for no date yet, and the one in force below it. Called by the map's own script.
"use strict";
window.Shaotu = window.Shaotu || {};

(() => {
  const LINES = {
    now: { color: "#5b6b7d", weight: 3, dashArray: "6 5", opacity: 0.8 },
    draft: { color: "#d9480f", weight: 1.4, opacity: 0.9 },
  };

  Shaotu.drawnAs = (name) => () => ({ fill: false, stroke: true, ...LINES[name] });
  Shaotu.faultStyle = () => ({ fill: true, fillColor: "#b5342a", fillOpacity: 0.5, stroke: true, color: "#b5342a", weight: 2 });
})();
