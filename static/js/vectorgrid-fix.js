// leaflet.vectorgrid 1.3.0 was written for an older Leaflet and for plain screens. Three repairs, and one question it cannot
// be asked: what lies at a place.
"use strict";

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
    if (options.interactive && !options.passive) this._container.style.pointerEvents = "auto";
  },

  // Where on the tile an event is. Asked of the screen, because a tile of another zoom is stretched.
  _pointOf(event) {
    const box = this._container.getBoundingClientRect();
    return L.point((event.clientX - box.left) * this._size.x / box.width, (event.clientY - box.top) * this._size.y / box.height);
  },

  _onClick(event) {
    if (!this._map || event.type !== "click") return;
    const point = this._pointOf(event);
    const hit = Object.values(this._layers).findLast((layer) => layer.options.interactive && layer._containsPoint(point));
    if (!hit || this._map._draggableMoved(hit)) return;
    // Leaflet 1.8 took fakeStop away: a click on a unit must not also be a click on the bare map.
    L.DomEvent.stopPropagation(event);
    this._fireEvent([hit], event);
  },

  _onMouseMove(event) {
    if (!this._map || this._map.dragging.moving() || this._map._animatingZoom) return;
    this._handleMouseHover(event, this._pointOf(event));
  },
});

L.VectorGrid.include({
  // The topmost shape at a place for which `touches(shape, point)` holds, null for none.
  shapeAt(latlng, touches) {
    if (!this._map) return null;
    const dots = this._map.project(latlng, this._tileZoom);
    const size = this.getTileSize();
    const at = dots.unscaleBy(size).floor();
    const tile = this._vectorTiles[`${at.x}:${at.y}:${this._tileZoom}`];
    const point = dots.subtract(at.scaleBy(size));
    return Object.values(tile?._layers || {}).findLast((shape) => touches(shape, point)) || null;
  },
});
