// Staff nearest to the middle of the map.

import { map } from "./map.js";
import { nearest } from "./staff.js";

export async function open(box) {
  const { lng, lat } = map.getCenter();
  await nearest(box, [lng, lat]);
  return null;
}
