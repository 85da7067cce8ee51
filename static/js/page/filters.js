// The filters, with how many issues each choice would leave.

import { byId, el, fill, button } from "./dom.js";
import { boot, categoryName, departmentName, has, number, t } from "./words.js";
import { FACETS, say, state } from "./state.js";
import { choiceMark } from "./clock.js";

const TIMES = ["1", "7", "30", "all"];
const SHOWN = 4;
const DUES = ["overdue", "soon", "later", "unset"];
const KEYS = { categories: "category", departments: "department", states: "state", flags: "flag", dues: "due" };
const open = new Set();

const namesOf = {
  categories: categoryName,
  departments: departmentName,
  states: (code) => t(`state.${code}`),
  flags: (code) => t(`flag.${code}`),
  dues: (code) => t(`due.${code}`),
};

export function draw(counts) {
  const focused = document.activeElement?.id;
  fill(byId("filters"),
    el("fieldset", { class: "segments" }, el("legend", {}, t("time")),
      TIMES.map((days) => el("label", {},
        el("input", { type: "radio", name: "days", id: `days-${days}`, value: days, checked: state.days === days, onchange: () => { state.days = days; say("filters"); } }),
        el("span", {}, t(`days.${days}`))))),
    FACETS.toSorted((a, b) => order(a) - order(b)).map((facet) => group(facet, counts[KEYS[facet]] || {})));
  if (focused) byId(focused)?.focus();
  const chosen = FACETS.reduce((sum, facet) => sum + state[facet].size, 0) + (state.text ? 1 : 0);
  fill(byId("filter-sum"), chosen ? button(t("clear", { n: chosen }), (event) => { event.preventDefault(); clearAll(); }, { class: "link" }) : null);
}

const order = (facet) => ["states", "dues", "flags", "categories", "departments"].indexOf(facet);

function clearAll() {
  for (const facet of FACETS) state[facet].clear();
  state.text = "";
  say("filters");
}

function group(facet, counts) {
  const fixed = { states: boot.states, flags: boot.flags.filter((flag) => flag !== "unlocated"), dues: DUES }[facet];
  const codes = fixed || [...new Set([...state[facet], ...Object.keys(counts)])].sort((a, b) => (counts[b] || 0) - (counts[a] || 0) || a.localeCompare(b));
  if (!codes.length) return null;
  const shown = fixed || open.has(facet) ? codes : codes.slice(0, SHOWN);
  const rest = codes.length - shown.length;
  return el("fieldset", { class: `facet facet-${facet}` }, el("legend", {}, t(`facet.${facet}`)),
    shown.map((code) => choice(facet, code, counts[code] || 0)),
    rest > 0 && button(t("more", { n: rest }), () => { open.add(facet); draw.last(); }, { class: "link" }));
}

// What runs towards an end is asked for whenever it was reported, and what is due first comes first:
// the issue longest overdue is older than any window of days.
function choose(facet, code, wanted) {
  state[facet][wanted ? "add" : "delete"](code);
  if (facet === "dues" && code !== "unset" && wanted) Object.assign(state, { days: "all", order: "due" });
}

function choice(facet, code, count) {
  const about = has(`${facet === "flags" ? "flag" : "-"}.${code}.about`) ? t(`flag.${code}.about`) : null;
  return el("label", { class: count ? "" : "none", title: about },
    el("input", {
      type: "checkbox", id: `${facet}-${code}`, checked: state[facet].has(code),
      onchange: ({ target }) => { choose(facet, code, target.checked); say("filters"); },
    }),
    facet === "flags" && window.Shaotu.mark([code]),
    facet === "dues" && choiceMark(code),
    el("span", { class: "name" }, namesOf[facet](code)), el("span", { class: "n" }, number(count)));
}
