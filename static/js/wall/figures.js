// The four numbers, and how each compares to a day ago at the same time.

import { byId } from "../page/dom.js";
import { boot, number, t } from "../page/words.js";

// More of it is worse, better, or neither.
const MORE_IS = { open: "no", new: "", overdue: "no", closed: "yes" };
const share = new Intl.NumberFormat(boot.locale === "en" ? "en-GB" : "zh-CN", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const points = new Intl.NumberFormat(boot.locale === "en" ? "en-GB" : "zh-CN", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function draw({ now, before, ledgers }) {
  for (const name of Object.keys(MORE_IS)) {
    const node = byId(`figure-${name}`);
    const [is, was] = [valueOf(name, now), valueOf(name, before)];
    node.toggleAttribute("data-some", Boolean(is));
    if (ledgers[name]) node.querySelector("a").href = ledgers[name];
    node.querySelector(".number").textContent = shown(name, is);
    node.querySelector(".before").textContent = t("wall.before", { n: shown(name, was) });
    trend(node.querySelector(".trend"), name, is, was);
  }
}

function valueOf(name, figures) {
  if (!figures) return null;
  if (name !== "closed") return figures[name];
  return figures.counted ? figures.closed / figures.counted : null;
}

function shown(name, value) {
  if (value === null) return "—";
  return name === "closed" ? share.format(value) : number(value);
}

function trend(node, name, is, was) {
  const known = is !== null && was !== null;
  const change = known ? rounded(name, is - was) : 0;
  node.textContent = known ? `${change > 0 ? "▲ +" : change < 0 ? "▼ −" : "＝ "}${amount(name, Math.abs(change))}` : "";
  node.dataset.good = !change || !MORE_IS[name] ? "" : (change > 0) === (MORE_IS[name] === "yes") ? "yes" : "no";
}

const rounded = (name, change) => (name === "closed" ? Math.round(change * 1000) / 10 : change);
const amount = (name, change) => (name === "closed" ? t("wall.points", { n: points.format(change) }) : number(change));
