// Lengths and areas on the ellipsoid of WGS 84.

const RAD = Math.PI / 180;
const A = 6378137;
const F = 1 / 298.257223563;
const B = A * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);

// Vincenty's inverse: good to a millimetre but for places on opposite sides of the earth, where it does not settle.
export function metresBetween([lon1, lat1], [lon2, lat2]) {
  const [u1, u2] = [lat1, lat2].map((lat) => Math.atan((1 - F) * Math.tan(lat * RAD)));
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  const l = (lon2 - lon1) * RAD;
  let lambda = l;
  for (let round = 0; round < 200; round += 1) {
    const [sl, cl] = [Math.sin(lambda), Math.cos(lambda)];
    const sinSigma = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
    if (sinSigma === 0) return 0;
    const cosSigma = s1 * s2 + c1 * c2 * cl;
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = c1 * c2 * sl / sinSigma;
    const cos2 = 1 - sinAlpha * sinAlpha;
    const middle = cos2 === 0 ? 0 : cosSigma - 2 * s1 * s2 / cos2;
    const c = F / 16 * cos2 * (4 + F * (4 - 3 * cos2));
    const before = lambda;
    lambda = l + (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (middle + c * cosSigma * (2 * middle * middle - 1)));
    if (Math.abs(lambda - before) > 1e-12) continue;
    const k = cos2 * (A * A - B * B) / (B * B);
    const first = 1 + k / 16384 * (4096 + k * (-768 + k * (320 - 175 * k)));
    const second = k / 1024 * (256 + k * (-128 + k * (74 - 47 * k)));
    const off = second * sinSigma * (middle + second / 4 * (cosSigma * (2 * middle * middle - 1) - second / 6 * middle * (4 * sinSigma * sinSigma - 3) * (4 * middle * middle - 3)));
    return B * first * (sigma - off);
  }
  return NaN;
}

export const lengthOf = (line) => line.slice(1).reduce((sum, place, nth) => sum + metresBetween(line[nth], place), 0);

// The area between each edge and the equator, edge by edge (Gauss, three points), as gis/territory/coords.py does it.
const NODES = [[-Math.sqrt(0.6), 5 / 9], [0, 8 / 9], [Math.sqrt(0.6), 5 / 9]];

function band(phi) {
  const sine = Math.sin(phi);
  return A * A * (1 - E2) / 2 * (sine / (1 - E2 * sine * sine) + Math.atanh(E * sine) / E);
}

export function areaOf(ring) {
  let sum = 0;
  ring.forEach(([lon, lat], nth) => {
    const [nextLon, nextLat] = ring[(nth + 1) % ring.length];
    const mean = NODES.reduce((total, [node, weight]) => total + weight / 2 * band((lat + (nextLat - lat) * (1 + node) / 2) * RAD), 0);
    sum += mean * (nextLon - lon) * RAD;
  });
  return Math.abs(sum);
}
