// What was late about an issue: the fact, the appeal beside it, and its answer. The fact stays whatever was answered.

import { button, el } from "./dom.js";
import { tell } from "./doors.js";
import { departmentName, fullTime, t } from "./words.js";

export function section(issue, { facts, may_ask: mayAsk, may_answer: mayAnswer }, after) {
  const path = `/api/v1/issues/${encodeURIComponent(issue.code)}/appeals`;
  return [
    el("ul", { class: "plain lines" }, facts.map(line)),
    mayAsk ? form(t("late.ask"), [[t("late.ask"), {}]], (said) => tell(path, said), after) : null,
    mayAnswer ? form(t("late.answer"), [[t("late.grant"), { granted: true }], [t("late.decline"), { granted: false }]], (said) => tell(`${path}/answer`, said), after) : null,
  ];
}

function line(fact) {
  const whose = fact.department ? departmentName(fact.department) : t("late.issue");
  return el("li", {},
    el("span", {}, t("late.fact", { whose, due: fullTime(fact.due_at) })), " ",
    el("b", {}, t(`late.${standing(fact)}`)),
    fact.reason ? el("q", { class: "words" }, fact.reason) : null,
    fact.answer ? el("q", { class: "words" }, fact.answer) : null);
}

function standing({ appealed, granted }) {
  if (!appealed) return "counts";
  if (granted === null) return "waits";
  return granted ? "exempted" : "stands";
}

function form(label, choices, send, after) {
  const reason = el("textarea", { rows: 2, maxlength: 2000, required: true, "aria-label": t("late.reason"), placeholder: t("late.reason") });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const go = async (more) => {
    try {
      await send({ reason: reason.value, ...more });
      await after();
    } catch (error) {
      wrong.textContent = error.message;
    }
  };
  return el("fieldset", { class: "sheet-form" }, el("legend", {}, label), reason, el("div", { class: "badges" }, choices.map(([words, more]) => button(words, () => go(more)))), wrong);
}
