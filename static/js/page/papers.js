// Papers about an issue: those there are, and those its record asks for; minutes of a consultation, a letter behind an urging.

import { button, el } from "./dom.js";
import { tell } from "./doors.js";
import { departmentName, fullTime, t } from "./words.js";

export const isAny = ({ issued, minutes, letter }) => issued.length > 0 || minutes.length > 0 || letter;

export function section(issue, { issued, called, minutes, letter }, after) {
  const path = `/papers/of/${encodeURIComponent(issue.code)}`;
  return [
    el("ul", { class: "plain lines papers" }, issued.map((each) => el("li", { data: { paper: each.kind } },
      el("a", { href: each.url, download: "" }, each.number), el("span", { class: "quiet" }, fullTime(each.at))))),
    letter ? once(t("papers.letter"), () => tell(`${path}/letter`, {}), after) : null,
    minutes.map((number) => meeting(number, called, (said) => tell(`${path}/minutes`, said), after)),
  ];
}

function once(label, write, after) {
  const wrong = el("p", { class: "wrong", role: "alert" });
  const go = async () => {
    try {
      await write();
      await after();
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  return el("div", { class: "paper-of" }, button(label, go, { class: "main" }), wrong);
}

// A meeting that somebody is writing down: it is not swept away when a live message or another paper draws the panel anew.
let writing = null;
export const isBeingWritten = () => Boolean(writing?.isConnected);

// Where it was and who came stands in no record yet; nobody is ticked for those who were not there.
function meeting(number, called, write, after) {
  const place = el("input", { type: "text", maxlength: 200, required: true, id: `meeting-place-${number}` });
  const ticks = called.map((department) => el("label", { class: "tick" }, el("input", { type: "checkbox", value: department }), el("span", {}, departmentName(department))));
  const present = () => ticks.map((tick) => tick.firstElementChild).filter((box) => box.checked).map((box) => box.value);
  const form = el("div", { class: "sheet-form paper-of", role: "group", "aria-label": t("papers.consultation", { n: number }), data: { consultation: number }, oninput: () => { writing = form; } },
    el("b", {}, t("papers.consultation", { n: number })),
    el("label", {}, t("papers.place"), place),
    el("fieldset", {}, el("legend", {}, t("papers.present")), ticks),
    once(t("papers.minutes"), async () => {
      await write({ number, place: place.value, present: present() });
      writing = null;
    }, after));
  return form;
}
