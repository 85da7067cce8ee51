// The card of a unit: what it stands in, who answers for it, what else lies on the same ground.

import { byId, button, el, fill, icon } from "./dom.js";
import { ask } from "./doors.js";
import { area, levelName, nameOf, netName, number, percent, t } from "./words.js";
import { say, state } from "./state.js";
import { choose } from "./map.js";
import { frame } from "./issue.js";

export async function open({ net, level, code, fly }) {
  const card = await ask(`/map/units/${encodeURIComponent(net)}/${encodeURIComponent(level)}/${encodeURIComponent(code)}`);
  state.unit = card.unit.key;
  state.issue = "";
  say("opened");
  choose({ outlines: [{ geometry: card.geometry }], box: card.box, keepView: !fly });
  const serving = card.departments.filter((each) => each.departments.length);
  frame(nameOf(card.unit), levelName(net, level),
    el("dl", { class: "facts" },
      fact(t("unit.code"), el("code", {}, card.unit.code)),
      fact(t("unit.area"), area(card.unit.area_m2)),
      fact(t("unit.issues"), button(number(card.issues_n), () => say("search", card.unit), { class: "link", disabled: true })),
      fact(t("edition"), `${card.edition.name} · ${t("from", { day: card.edition.valid_from })}`)),
    card.dossier && el("p", {}, el("a", { class: "button", href: `/grids/${encodeURIComponent(card.unit.key)}/${card.dossier}` }, t(`unit.${card.dossier}`))),
    section(t("unit.chain"), el("p", { class: "chain" }, card.chain.map((each) => unitLink(each)))),
    section(t("unit.departments"), serving.length ? serving.map((each) => el("div", {}, el("h4", {}, groundName(each.ground, card.chain)), el("ul", { class: "plain lines" }, each.departments.map((one) => el("li", {}, nameOf(one)))))) : el("p", { class: "quiet" }, t("unit.no_departments"))),
    card.areas.length ? section(t("unit.people"), el("ul", { class: "plain lines" }, card.areas.map((each) => el("li", {}, el("span", {}, nameOf(each)), el("span", { class: "quiet" }, t(`duty.${each.role}`)), el("span", {}, each.person, each.phone ? ` · ${each.phone}` : ""))))) : null,
    card.others.length ? section(t("unit.others"), el("ul", { class: "plain lines" }, card.others.map((each) => el("li", {}, unitLink(each), el("span", { class: "quiet" }, `${netName(each.net)} · ${levelName(each.net, each.level)}`), el("b", {}, percent(each.share)))))) : null,
    card.neighbours.length ? section(t("unit.neighbours"), el("p", { class: "chain" }, card.neighbours.map((each) => unitLink(each)))) : null);
}

const groundName = (key, chain) => {
  const unit = chain.find((each) => `${each.net}:${each.level}:${each.code}` === key);
  return unit ? `${nameOf(unit)} · ${levelName(unit.net, unit.level)}` : key;
};

export const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
export const section = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);
export const unitLink = (unit) => button(nameOf(unit), () => say("unit", { ...unit, fly: true }), { class: "link" });
