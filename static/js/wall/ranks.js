// Two rankings: the units with the most overdue issues, and the places where issues gather.

import { byId, el, fill } from "../page/dom.js";
import { nameOf, number, t } from "../page/words.js";
import { now } from "./clock.js";

const HOUR_MS = 3_600_000;

export const ranks = { late, hotspots };

// A row is shown whole or not at all, and what is left out is said. On a page that scrolls all of them fit.
export function fit(list) {
  for (const row of list.children) row.hidden = false;
  const room = list.clientHeight + 1;
  for (const row of list.children) row.hidden = row.offsetTop - list.offsetTop + row.offsetHeight > room;
  if (list.id === "late") tellRest([...list.children].filter((row) => row.hidden));
}

function tellRest(rows) {
  const n = rows.reduce((sum, row) => sum + Number(row.dataset.n), 0);
  byId("late-rest").textContent = rows.length ? t("wall.rest", { places: number(rows.length), n: number(n) }) : "";
}

addEventListener("resize", () => ["late", "feed"].forEach((id) => fit(byId(id))));

function late(units) {
  draw("late", units.map((unit) => [unit, unit.overdue, t("wall.longest", { time: length(now() - new Date(unit.first_due_at)) })]), t("wall.none_late"));
}

function hotspots(places) {
  draw("hotspots", places.map((place) => [place, place.issues_n, ""]), t("no_hotspots"));
}

function draw(id, rows, none) {
  const most = Math.max(1, ...rows.map(([, n]) => n));
  fill(byId(id), rows.length ? rows.map(([thing, n, more]) => el("li", { data: { key: thing.key, n } },
    el("span", { class: "name" }, nameOf(thing)), more ? null : bar(n / most), el("b", {}, number(n)),
    more ? [el("span", { class: "quiet" }, more), bar(n / most)] : null)) : el("li", { class: "empty" }, none));
  fit(byId(id));
}

const bar = (part) => el("span", { class: "bar", style: { "--part": part } });

function length(ms) {
  const hours = Math.max(0, Math.floor(ms / HOUR_MS));
  return hours < 24 ? t("clock.hours", { h: hours, m: Math.floor(ms / 60_000) % 60 }) : t("clock.days", { d: Math.floor(hours / 24), h: hours % 24 });
}
