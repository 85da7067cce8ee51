// What is chosen: filters, net, layers, and what is open. The address keeps it, so a view can be sent to a colleague.

export const FACETS = ["categories", "departments", "states", "flags", "dues"];
const DAY_MS = 86_400_000;
const listeners = new Map();

export const state = {
  days: "7", net: "", issue: "", unit: "", text: "", tab: "issues", order: "reported",
  straddlers: false, density: false, shaded: true, footprints: true, staff: false, areas: false,
  colour: "marks", over: "", points: "", base: "", past: "",
  categories: new Set(), departments: new Set(), states: new Set(), flags: new Set(), dues: new Set(),
};

const SWITCHES = ["straddlers", "density", "shaded", "staff", "areas"];
const PLAIN = ["days", "net", "issue", "unit", "text", "tab", "order", "colour", "over", "points", "base", "past"];
const DEFAULTS = { ...state };

export function read() {
  const said = new URLSearchParams(location.hash.slice(1));
  for (const name of PLAIN) state[name] = said.get(name) ?? DEFAULTS[name];
  for (const name of SWITCHES) state[name] = said.has(name) ? said.get(name) === "1" : DEFAULTS[name];
  for (const name of FACETS) state[name] = new Set((said.get(name) || "").split(",").filter(Boolean));
  const view = (said.get("map") || "").split("/").map(Number);
  return view.length === 3 && view.every(Number.isFinite) ? { zoom: view[0], lat: view[1], lon: view[2] } : null;
}

export function write(map) {
  const said = new URLSearchParams();
  const centre = map.getCenter();
  said.set("map", `${map.getZoom()}/${centre.lat.toFixed(5)}/${centre.lng.toFixed(5)}`);
  for (const name of PLAIN) if (state[name] !== DEFAULTS[name]) said.set(name, state[name]);
  for (const name of SWITCHES) if (state[name] !== DEFAULTS[name]) said.set(name, state[name] ? "1" : "0");
  for (const name of FACETS) if (state[name].size) said.set(name, [...state[name]].join(","));
  history.replaceState(null, "", `#${said.toString().replaceAll("%2F", "/").replaceAll("%2C", ",")}`);
}

export function since() {
  return state.days === "all" ? null : new Date(Date.now() - Number(state.days) * DAY_MS);
}

export function asQuery() {
  const query = {};
  const from = since();
  if (from) query.since = from.toISOString();
  for (const name of FACETS) if (state[name].size) query[name] = [...state[name]].join(",");
  if (state.text) query.text = state.text;
  if (state.order !== DEFAULTS.order) query.order = state.order;
  return query;
}

export function dueOf({ due_at: due, warn_at: warn }) {
  if (!due) return "unset";
  if (new Date(due) < Date.now()) return "overdue";
  return new Date(warn) <= Date.now() ? "soon" : "later";
}

// Does an issue that just arrived belong to what is listed? Words are left to the server.
export function matches({ properties }) {
  const from = since();
  if (from && new Date(properties.reported_at) < from) return false;
  if (state.text) return false;
  const within = (name, values) => !state[name].size || values.some((value) => state[name].has(value));
  return within("categories", [properties.category.code]) && within("states", [properties.state])
    && within("dues", [dueOf(properties)]) && within("flags", properties.flags) && within("departments", properties.departments.map((each) => each.code));
}

export function on(event, listener) {
  listeners.set(event, [...(listeners.get(event) || []), listener]);
}

export function say(event, detail) {
  for (const listener of listeners.get(event) || []) listener(detail);
}
