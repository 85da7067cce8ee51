// The keyboard, from the list to the dispatch: what each key does, and the table that says so.

import { button, byId, el, fill } from "./dom.js";
import { t } from "./words.js";
import { say, state } from "./state.js";
import * as tools from "./tools.js";

const TABLE = [
  [["j", "k"], "next"], [["Enter"], "enter"], [["Esc"], "back"], [["/"], "search"], [["[", "]"], "tabs"],
  [["f"], "filters"], [["l"], "list"], [["m"], "map"],
  [["d"], "dispatch"], [["u"], "urge"], [["s"], "supervise"], [["n"], "nearest"], [["1", "9"], "moves"],
  [["g"], "layers"], [["t"], "time"], [["r"], "measure"], [["c"], "place"], [["p"], "picture"], [["?"], "help"],
];
const panel = byId("panel");
const dialog = byId("keys");

const rows = () => [...document.querySelectorAll(`#${CSS.escape(state.tab)} .row`)].filter((row) => row.offsetParent && !row.disabled);

// On the list the focus moves; with an issue open the next one is opened, by its place in the list.
function step(by) {
  const code = state.issue;
  const listed = code ? [...document.querySelectorAll(`#${CSS.escape(state.tab)} .row[data-code]`)] : rows();
  if (!listed.length) return;
  const at = code ? listed.findIndex((row) => row.dataset.code === code) : listed.indexOf(document.activeElement);
  const next = listed[Math.max(0, Math.min(listed.length - 1, at === -1 ? (by > 0 ? 0 : listed.length - 1) : at + by))];
  if (code) say("issue", next.dataset.code);
  else { next.focus(); next.scrollIntoView({ block: "nearest" }); }
}

function tab(by) {
  if (!panel.hidden) return;
  const all = [...document.querySelectorAll("#tabs [role=tab]")];
  const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  const next = all[(at + by + all.length) % all.length].id;
  byId(next).click();
  byId(next).focus();
}

const press = (selector) => { const node = panel.hidden ? null : panel.querySelector(selector); node?.click(); return node; };

const ACTS = {
  j: () => step(1), k: () => step(-1), "[": () => tab(-1), "]": () => tab(1),
  f: () => { byId("filters-fold").open = true; byId("filters").querySelector("input")?.focus(); },
  l: () => (panel.hidden ? rows()[0] || byId(state.tab) : panel).focus(),
  m: () => byId("map_main").focus(),
  d: () => press("[data-quick=dispatch]"), u: () => press("[data-quick=urge]"), s: () => press("[data-quick=supervise]"),
  n: () => press("[data-act=nearest]") || tools.toggle("near"),
  g: () => tools.toggle("layers"), t: () => tools.toggle("time"), r: () => tools.toggle("measure"), c: () => tools.toggle("place"), p: () => tools.toggle("picture"),
  "/": () => byId("search").focus(), "?": help,
};

function nth(number) {
  const moves = panel.hidden ? [] : panel.querySelectorAll(".moves [data-move]");
  moves[number - 1]?.click();
}

export function start() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || dialog.open) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const act = ACTS[event.key] || (/^[1-9]$/.test(event.key) && (() => nth(Number(event.key))));
    if (!act) return;
    event.preventDefault();
    act();
  });
  byId("keys-open").addEventListener("click", help);
}

export function help() {
  fill(dialog, el("header", {}, el("h2", { id: "keys-title" }, t("keys.title")), button(t("close"), () => dialog.close(), { autofocus: true })),
    el("dl", { class: "keys-table" }, TABLE.map(([keys, what]) => [
      el("dt", {}, keys.map((key, at) => [at ? (what === "moves" ? " – " : " ") : null, el("kbd", {}, key)])), el("dd", {}, t(`keys.${what}`)),
    ])));
  dialog.showModal();
}
