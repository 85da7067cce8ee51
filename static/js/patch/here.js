// Where the phone is, with how exact that is; and why not, with what to do.

import { say, state } from "./bus.js";

// older than this it says where somebody was
const FRESH_MS = 60_000;
const EXACTLY = { enableHighAccuracy: true, maximumAge: 5000, timeout: 30_000 };

export function start() {
  if (!window.isSecureContext) return became("insecure");
  if (!navigator.geolocation) return became("missing");
  navigator.geolocation.watchPosition(found, lost, EXACTLY);
  return undefined;
}

// A phone that lies still, or was at its camera, may have said nothing for minutes.
export function again() {
  if (state.here === "found" && !fresh()) navigator.geolocation.getCurrentPosition(found, lost, EXACTLY);
}

function found({ coords, timestamp }) {
  state.fix = { lon: coords.longitude, lat: coords.latitude, accuracy_m: Math.max(1, Math.round(coords.accuracy)), at: new Date(Math.min(timestamp, Date.now())).toISOString() };
  became("found");
  say("fix", state.fix);
}

function lost(error) {
  became(error.code === error.PERMISSION_DENIED ? "denied" : "unknown");
}

function became(how) {
  if (how !== "found" && state.fix && how !== "denied") return;
  state.here = how;
  say("here");
}

export const fresh = () => (state.fix && Date.now() - new Date(state.fix.at) < FRESH_MS ? state.fix : null);

// Metres between two places; over the ground of a patch the earth is flat.
export function distance(a, b) {
  const east = (b.lon - a.lon) * 111_320 * Math.cos((a.lat + b.lat) * Math.PI / 360);
  const north = (b.lat - a.lat) * 110_574;
  return Math.hypot(east, north);
}

