// leaflet.vectorgrid 1.3.0 was written for an older Leaflet and for plain screens. Two repairs.
"use strict";

// Leaflet 1.8 took fakeStop away. A click on a unit must not also be a click on the bare map; all other events go on,
// or a press on a unit could not begin a drag.
L.DomEvent.fakeStop = (event) => {
  if (event.type === "click") L.DomEvent.stopPropagation(event);
};

// A canvas has as many dots as its screen, or lines are blurred.
L.Canvas.Tile.include({
  initialize(tileCoord, tileSize, options) {
    L.Canvas.prototype.initialize.call(this, options);
    const dots = window.devicePixelRatio || 1;
    this._tileCoord = tileCoord;
    this._size = tileSize;
    this._initContainer();
    this._container.width = tileSize.x * dots;
    this._container.height = tileSize.y * dots;
    this._container.style.width = `${tileSize.x}px`;
    this._container.style.height = `${tileSize.y}px`;
    this._ctx.scale(dots, dots);
    this._layers = {};
    this._drawnLayers = {};
    this._drawing = true;
    if (options.interactive) this._container.style.pointerEvents = "auto";
  },
});
