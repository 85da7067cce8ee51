// What may be the same thing reported twice, with what speaks for it. A person decides; merging asks twice, for it ends an issue.

import { button, el, fill } from "./dom.js";
import { ask, tell } from "./doors.js";
import { age, fullTime, nameOf, percent, t } from "./words.js";
import { say } from "./state.js";
import { light, ofIssue } from "./lights.js";
import { beside } from "./map.js";
import { section as part } from "./unit.js";

const SURE_MS = 6000;

export function section(issue, loop) {
  const place = el("div", { class: "alike-place" });
  if (issue.located && issue.state !== "merged") look(place, issue, loop).catch(() => null);
  return place;
}

async function look(place, issue, loop) {
  const { duplicates } = await ask(`/map/issues/${encodeURIComponent(issue.code)}/duplicates`);
  if (!duplicates.length || !place.isConnected) return;
  const merge = loop.moves.find((move) => move.move === "merge");
  fill(place, part(t("alike.title"), el("p", { class: "quiet" }, t("alike.about")),
    el("ol", { class: "plain alike" }, duplicates.map((each) => row(each, issue, loop, merge)))));
  beside(duplicates.map(({ point, code }, nth) => dot(point, code, nth + 1)));
}

function row(each, issue, loop, merge) {
  return el("li", { data: { alike: each.code } },
    el("button", { type: "button", class: "row", onclick: () => say("issue", each.code) },
      el("span", { class: "row-main" },
        el("span", { class: "row-head" }, el("b", {}, nameOf(each.category)), el("span", { class: "quiet" }, percent(each.score))),
        el("span", { class: "row-text" }, each.text),
        el("span", { class: "row-foot" }, light(ofIssue(each)), el("span", {}, t(`state.${each.state}`)), el("time", { datetime: each.reported_at, title: fullTime(each.reported_at) }, age(each.reported_at)), el("span", {}, each.code)),
        el("span", { class: "badges" }, each.reasons.map((reason) => el("span", { class: "badge" }, reason))))),
    merge ? merging(each, issue, loop) : null);
}

function merging(each, issue, loop) {
  const node = button(t("alike.merge"), async () => {
    if (!node.dataset.sure) {
      node.dataset.sure = "1";
      node.textContent = t("alike.sure", { code: each.code });
      setTimeout(() => { delete node.dataset.sure; node.textContent = t("alike.merge"); }, SURE_MS);
      return;
    }
    node.disabled = true;
    try {
      await tell(`/api/v1/issues/${encodeURIComponent(issue.code)}/moves`, { move: "merge", version: loop.version, fields: { target: each.code } });
    } catch (error) {
      node.disabled = false;
      say("failed", error);
      return;
    }
    say("changed");
    say("issue", each.code);
  }, { class: "merge" });
  return node;
}

// The same on the map: a numbered ring at each.
function dot([lon, lat], code, nth) {
  const node = el("span", {}, String(nth));
  return L.marker([lat, lon], { keyboard: false, icon: L.divIcon({ html: node, className: "alike-pin", iconSize: [24, 24] }) }).on("click", () => say("issue", code));
}
