// The three datums of Chinese maps, as gis/territory/coords.py has them; a test holds both to the same numbers.

const RAD = Math.PI / 180;
const AXIS_M = 6378245;
const E2 = 0.00669342162296594323;
const [WEST, SOUTH, EAST, NORTH] = [72.004, 0.8293, 137.8347, 55.8271];
const TURN = Math.PI * 3000 / 180;
const ROUNDS = 10;

export const DATUMS = ["WGS84", "CGCS2000", "GCJ02", "BD09"];

const wave = (at, ...terms) => terms.reduce((sum, [height, divisor]) => sum + height * Math.sin(at * Math.PI / divisor), 0);

function shift(lon, lat) {
  const [x, y] = [lon - 105, lat - 35];
  const waves = 20 * Math.sin(6 * Math.PI * x) + 20 * Math.sin(2 * Math.PI * x);
  const root = Math.sqrt(Math.abs(x));
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + 2 / 3 * (waves + wave(y, [20, 1], [40, 3], [160, 12], [320, 30]));
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + 2 / 3 * (waves + wave(x, [20, 1], [40, 3], [150, 12], [300, 30]));
  const phi = lat * RAD;
  const w2 = 1 - E2 * Math.sin(phi) ** 2;
  return [east / (AXIS_M / Math.sqrt(w2) * Math.cos(phi) * RAD), north / (AXIS_M * (1 - E2) / w2 ** 1.5 * RAD)];
}

const inside = (lon, lat) => lon >= WEST && lon <= EAST && lat >= SOUTH && lat <= NORTH;

const moved = (lon, lat) => { const [dx, dy] = shift(lon, lat); return [lon + dx, lat + dy]; };
const toGcj = (lon, lat) => (inside(lon, lat) ? moved(lon, lat) : [lon, lat]);

function toBd(lon, lat) {
  const radius = Math.hypot(lon, lat) + 0.00002 * Math.sin(lat * TURN);
  const angle = Math.atan2(lat, lon) + 0.000003 * Math.cos(lon * TURN);
  return [radius * Math.cos(angle) + 0.0065, radius * Math.sin(angle) + 0.006];
}

// Guess, look how far it missed, move the guess by that.
function undone(forward, lon, lat) {
  let [x, y] = [lon, lat];
  for (let round = 0; round < ROUNDS; round += 1) {
    const there = forward(x, y);
    [x, y] = [x - (there[0] - lon), y - (there[1] - lat)];
  }
  return [x, y];
}

function fromGcj(lon, lat) {
  const found = undone(moved, lon, lat);
  return inside(...found) ? found : [lon, lat];
}

export const fromWgs = (lon, lat, datum) => ({ GCJ02: () => toGcj(lon, lat), BD09: () => toBd(...toGcj(lon, lat)) }[datum]?.() ?? [lon, lat]);
export const toWgs = (lon, lat, datum) => ({ GCJ02: () => fromGcj(lon, lat), BD09: () => fromGcj(...undone(toBd, lon, lat)) }[datum]?.() ?? [lon, lat]);

// Two numbers with anything between them, longitude first; where only the other order is on the earth, that one.
export function read(words) {
  const numbers = words.match(/-?\d+(?:\.\d+)?/g)?.map(Number) || [];
  if (numbers.length !== 2 || /[A-Za-z一-鿿]/.test(words)) return null;
  const [first, second] = numbers;
  if (Math.abs(first) <= 180 && Math.abs(second) <= 90) return [first, second];
  return Math.abs(second) <= 180 && Math.abs(first) <= 90 ? [second, first] : null;
}
