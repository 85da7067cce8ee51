// The tools of the map. Each is a script of its own that is fetched when it is first wanted.

import { button, byId, el, fill, icon } from "./dom.js";
import { t } from "./words.js";
import { say } from "./state.js";

const LOAD = {
  layers: () => import("./layers.js"),
  time: () => import("./past.js"),
  measure: () => import("./measure.js"),
  place: () => import("./place.js"),
  picture: () => import("./picture.js"),
  near: () => import("./near.js"),
};
const NAMES = { layers: "layers.title", time: "tools.time", measure: "tools.measure", place: "tools.place", picture: "tools.picture", near: "staff.title" };
const SHOWN = ["layers", "time", "measure", "place", "picture"];
const box = byId("tool");
const open = { name: "", end: null, asked: 0, from: null };

export function start() {
  fill(byId("map-acts"), SHOWN.map((name) => el("button", {
    type: "button", id: `act-${name}`, "aria-label": t(NAMES[name]), title: t(NAMES[name]), "aria-expanded": "false", "aria-controls": "tool", onclick: () => toggle(name),
  }, icon(name))));
}

// name: this one alone.
export const isOpen = (name) => (name ? open.name === name : Boolean(open.name));

export const toggle = (name) => (open.name === name ? close() : show(name));

async function show(name) {
  const from = document.activeElement;
  close({ quietly: true });
  const mine = ++open.asked;
  Object.assign(open, { name, from });
  byId(`act-${name}`)?.setAttribute("aria-expanded", "true");
  const body = el("div", { class: "tool-body" });
  fill(box, el("header", {}, el("h2", { id: "tool-title" }, t(NAMES[name])), button(icon("cross"), () => close(), { class: "square", "aria-label": t("close_tool"), title: t("close_tool") })), body);
  box.dataset.tool = name;
  box.hidden = false;
  try {
    const tool = await LOAD[name]();
    if (mine !== open.asked) return;
    open.end = await tool.open(body, close);
    // who went on elsewhere while it was made ready stays there
    if ([from, document.body].includes(document.activeElement)) body.querySelector("input, select, button")?.focus();
  } catch (error) {
    close();
    say("failed", error);
  }
}

export function close({ quietly = false } = {}) {
  if (!open.name) return;
  open.asked += 1;
  open.end?.();
  byId(`act-${open.name}`)?.setAttribute("aria-expanded", "false");
  const focused = box.contains(document.activeElement) || document.activeElement === document.body;
  box.hidden = true;
  if (!quietly && focused && open.from?.isConnected) open.from.focus();
  Object.assign(open, { name: "", end: null, from: null });
}
