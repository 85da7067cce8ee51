// What is mine: what waits to be sent, the month's numbers, what the phone keeps, and the way out.

import { fullTime, number, percent, t } from "../page/words.js";
import { byId, button, el, fill } from "../page/dom.js";
import { on, state } from "./bus.js";
import { ask } from "./net.js";
import * as queue from "./queue.js";
import * as report from "./report.js";
import * as store from "./store.js";

let install = null;

export function start() {
  on("waiting", drawQueue);
  on("line", drawQueue);
  on("kept", drawKept);
  addEventListener("beforeinstallprompt", (event) => { event.preventDefault(); install = event; drawKept(); });
  addEventListener("appinstalled", () => { install = null; drawKept(); });
  store.kept(state.account, "numbers").then((kept) => { if (kept) drawNumbers(kept); });
  byId("sign-out").addEventListener("submit", signOut);
  drawQueue();
  drawKept();
}

export async function shown() {
  const answer = await ask("/patch/numbers");
  if (answer.status === 200) {
    store.keep(state.account, "numbers", { ...answer.body, at: new Date().toISOString() });
    drawNumbers(answer.body);
  } else if (!byId("numbers").childElementCount) {
    fill(byId("numbers"), el("p", { class: "quiet" }, answer.message));
  }
}

function drawQueue() {
  const mine = queue.mine();
  const others = queue.others();
  fill(byId("queue"),
    el("h2", {}, t("patch.queue.title")),
    mine.length ? el("ul", { class: "plain cards" }, mine.map(card)) : el("p", { class: "quiet" }, t("patch.queue.none")),
    mine.some((item) => !item.refused) ? button(t("patch.queue.now"), () => queue.flush(true), { class: "wide", id: "queue-now" }) : null,
    others.length ? el("p", { class: "warned" }, t("patch.queue.others", { n: number(others.length), names: [...new Set(others.map((item) => item.account))].join("、") })) : null);
}

function card(item) {
  const what = item.kind === "report" ? t("patch.queue.report", { name: item.name }) : item.kind === "second" ? t("patch.queue.second", { name: item.name, code: item.code }) : t("patch.queue.move", { move: item.label, code: item.code });
  const how = item.refused ? t("patch.queue.refused", { why: item.refused.message }) : item.sending ? t("patch.queue.sending") : t("patch.queue.waits", { n: number(item.tries) });
  return el("li", { data: { item: item.id, state: item.refused ? "refused" : "waits" } },
    el("b", {}, what), el("span", { class: "quiet" }, fullTime(item.made_at)), el("p", { class: item.refused ? "refusal" : "quiet" }, how),
    item.refused ? el("div", { class: "row-buttons" },
      item.kind === "report" && !item.code ? button(t("patch.queue.mend"), () => report.mend(item), { class: "main" }) : null,
      button(t("patch.queue.again"), () => again(item)),
      button(t("patch.queue.discard"), () => { if (confirm(t("patch.queue.sure"))) queue.discard(item.id); })) : null);
}

// Sent as it is: a move without the version it was seen at, for the one who says it again knows of the change.
async function again(item) {
  const { refused, version, sending, ...whole } = item;
  await queue.add({ ...whole, version: null });
}

function drawNumbers({ mine, standing }) {
  const line = (code, value) => el("div", {}, el("dt", {}, t(`patch.number.${code}`)), el("dd", {}, value));
  fill(byId("numbers"),
    el("h2", {}, t("patch.numbers.title")),
    el("dl", { class: "numbers" },
      line("reported", number(mine.reported)), line("checked", number(mine.checked)), line("mine_self", number(mine.self_handled)), line("patrol_days", number(mine.patrol_days)),
      standing ? [
        line("filed", number(standing.filed)), line("closed", number(standing.closed)), line("late", number(standing.late)),
        line("on_time", standing.on_time === null ? "—" : percent(standing.on_time)), line("self_handled", number(standing.self_handled)),
        line("score", standing.score === null ? "—" : `${number(standing.score)}${standing.grade ? ` · ${standing.grade}` : ""}`),
      ] : null),
    standing ? el("p", { class: "quiet" }, t("patch.numbers.about", { version: standing.version })) : null);
}

function drawKept() {
  const kept = state.kept;
  const words = !window.isSecureContext ? t("patch.kept.insecure") : kept?.failed ? t("patch.kept.failed", { why: kept.failed }) : kept ? t("patch.kept.done", { n: number(kept.kept), of: number(kept.of) }) : t("patch.kept.wait");
  fill(byId("kept"), el("h2", {}, t("patch.kept.title")), el("p", { role: "status" }, words),
    state.dataAt ? el("p", { class: "quiet" }, t("patch.kept.at", { at: fullTime(state.dataAt) })) : null,
    install ? button(t("patch.install"), () => install.prompt(), { class: "main wide" }) : null);
}

// The page and what was read go; what waits to be sent stays for whoever made it.
async function signOut(event) {
  event.preventDefault();
  const waits = queue.mine().length;
  if (waits && !confirm(t("patch.sign_out_waits", { n: number(waits) }))) return;
  const me = await ask("/patch/me");
  await store.forget(state.account).catch(() => {});
  await forgetPage();
  if (me.status !== 200) { location.assign("/sign-in?next=/patch"); return; }
  event.target.elements.csrf_token.value = me.body.csrf;
  event.target.submit();
}

async function forgetPage() {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return;
  const channel = new MessageChannel();
  const done = new Promise((resolve) => { channel.port1.onmessage = resolve; setTimeout(resolve, 1000); });
  worker.postMessage({ forget: true }, [channel.port2]);
  await done;
}

