// The page of whoever is on the street: what is open near them, one bar for the thumb, and what is said of the line.

import { boot, fullTime, metres, moment, nameOf, number, t } from "../page/words.js";
import { byId, el, fill } from "../page/dom.js";
import { line, on, say, state } from "./bus.js";
import * as here from "./here.js";
import * as issue from "./issue.js";
import * as map from "./map.js";
import * as me from "./me.js";
import { ask, tell } from "./net.js";
import * as patrol from "./patrol.js";
import * as queue from "./queue.js";
import * as report from "./report.js";
import * as sheet from "./sheet.js";
import * as store from "./store.js";

const REFRESH_MS = 60_000;
const TOAST_MS = 6000;
const VIEWS = ["home", "patrol", "notices", "me"];

// ---- views

function view(name) {
  for (const each of VIEWS) {
    byId(`view-${each}`).hidden = each !== name;
    const tab = document.querySelector(`[data-view="${each}"]`);
    if (each === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  byId("ground").hidden = !["home", "patrol"].includes(name);
  map.resized();
  byId("content").scrollTop = 0;
  if (name === "me") me.shown();
  if (name === "notices") notices();
  if (name === "patrol") patrol.refresh();
}

// ---- what is open

async function refresh() {
  const answer = await ask("/patch/data");
  if (answer.status === 200 && answer.body.account !== state.account) { line("other"); return; }
  if (answer.status !== 200) { drawList(); return; }
  const data = answer.body;
  state.dataAt = new Date().toISOString();
  state.data = data;
  say("data", data);
  say("kept");
  await store.keep(state.account, "data", { data, at: state.dataAt });
}

function far(each) {
  if (!state.fix || !each.point) return null;
  return here.distance(state.fix, { lon: each.point.coordinates[0], lat: each.point.coordinates[1] });
}

// Near me first; without a fix, what is due first.
function byNearness(a, b) {
  const [near, other] = [far(a), far(b)];
  if (near !== null && other !== null && near !== other) return near - other;
  return (a.due_at ?? "9").localeCompare(b.due_at ?? "9");
}

function drawList() {
  const list = byId("list");
  if (!state.data) { fill(list, el("li", { class: "quiet", role: "status" }, t(state.line === "open" ? "patch.loading" : "patch.nothing_kept"))); return; }
  const waits = new Map(state.data.groups.flatMap((group) => group.issues.map((code) => [code, group.code])));
  const todo = state.data.issues.filter((each) => waits.has(each.code)).sort(byNearness);
  const others = state.data.issues.filter((each) => !waits.has(each.code)).sort(byNearness);
  const sent = new Set(queue.mine().filter((item) => item.kind === "move" && !item.refused).map((item) => item.code));
  fill(list,
    el("li", { class: "list-head" }, el("h2", {}, t("patch.todo", { n: number(todo.length) }))),
    todo.length ? todo.map((each) => row(each, waits.get(each.code), sent.has(each.code))) : el("li", { class: "quiet" }, t("patch.nothing_todo")),
    el("li", { class: "list-head" }, el("h2", {}, t("patch.around", { n: number(others.length) }))),
    others.map((each) => row(each, null, sent.has(each.code))));
}

function row(each, group, waits) {
  const m = far(each);
  const late = each.due_at && new Date(each.due_at) < Date.now();
  return el("li", {}, el("button", { type: "button", class: "card", onclick: () => say("open", each.code), data: { code: each.code } },
    el("span", { class: "card-head" }, el("b", {}, nameOf(each.category)), m === null ? null : el("span", { class: "far" }, metres(m))),
    el("span", { class: "card-words" }, each.text),
    el("span", { class: "card-foot" },
      el("span", { class: "badge" }, group ? t(`desk.${group}`) : t(`state.${each.state}`)),
      each.due_at ? el("span", { class: late ? "late" : "quiet" }, t(late ? "patch.was_due" : "patch.due", { at: moment(each.due_at) })) : null,
      waits ? el("span", { class: "badge waits" }, t("patch.queue.sent_later")) : null)));
}

// ---- notices

async function notices() {
  const answer = await ask("/api/v1/notices");
  const kept = answer.status === 200 ? answer.body.notices : await store.kept(state.account, "notices");
  if (answer.status === 200) store.keep(state.account, "notices", kept);
  fill(byId("notices"), el("h2", {}, t("patch.notices")),
    kept?.length ? el("ul", { class: "plain cards" }, kept.map((each) => el("li", { class: each.read ? "" : "unread" },
      el("p", {}, each.said), el("span", { class: "quiet" }, fullTime(each.at)),
      each.code ? el("button", { type: "button", onclick: () => say("open", each.code) }, each.code) : null)))
      : el("p", { class: "quiet" }, t(kept ? "patch.notices.none" : "patch.away")));
  const [first] = kept ?? [];
  if (answer.status !== 200 || !first || first.read) return;
  const who = await ask("/patch/me");
  if (who.status !== 200) return;
  await tell("/api/v1/notices/read", { up_to: first.id }, who.body.csrf);
  state.data.unread = 0;
  drawCounts();
}

// ---- the head line

function drawLine() {
  const lamp = byId("line");
  lamp.dataset.state = state.line;
  lamp.querySelector("span:last-child").textContent = t(`patch.line.${state.line}`);
  const bar = byId("notice");
  const waits = queue.mine().length;
  const words = {
    expired: [t(waits ? "patch.expired_waits" : "patch.expired", { n: number(waits) }), el("a", { href: "/sign-in?next=/patch", class: "button" }, t("patch.sign_in"))],
    other: [t("patch.other_account"), el("a", { href: "/patch", class: "button" }, t("patch.reload"))],
    away: state.dataAt ? [t("patch.away_since", { at: moment(state.dataAt) })] : null,
  }[state.line];
  bar.hidden = !words;
  bar.dataset.kind = state.line;
  fill(bar, words ? el("span", {}, words[0]) : null, words?.[1]);
}

function drawHere() {
  const told = byId("fix");
  told.textContent = state.here === "found" ? `± ${number(state.fix.accuracy_m)} m` : t(`patch.here.${state.here}`);
  told.dataset.state = state.here;
}

function drawCounts() {
  const waits = queue.mine().length;
  const chip = byId("waiting");
  chip.hidden = !waits;
  chip.textContent = t("patch.waiting_n", { n: number(waits) });
  document.title = (waits ? `(${waits}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  const unread = state.data?.unread ?? 0;
  for (const [id, n] of [["count-notices", unread], ["count-me", waits]]) {
    byId(id).hidden = !n;
    byId(id).textContent = number(n);
  }
  if (waits) navigator.setAppBadge?.(waits).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
}

let toastTimer = 0;

function toast({ words, kind }) {
  const told = byId("toast");
  told.textContent = words;
  told.dataset.kind = kind;
  told.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { told.hidden = true; }, TOAST_MS);
}

// ---- what the phone keeps for when there is no line

async function prepare() {
  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.addEventListener("message", ({ data }) => { state.kept = data; say("kept"); });
  try {
    await navigator.serviceWorker.register("/sw.js", { scope: "/patch" });
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ keep: { tiles: boot.bound ? map.tilesOfPatch() : [] } });
  } catch (error) {
    state.kept = { failed: error.message };
    say("kept");
  }
}

async function start() {
  sheet.start();
  map.start();
  for (const name of VIEWS) document.querySelector(`[data-view="${name}"]`).onclick = () => view(name);
  on("view", view);
  on("data", () => { drawList(); drawCounts(); drawLine(); });
  on("fix", drawList);
  on("waiting", () => { drawCounts(); drawLine(); if (state.data) drawList(); });
  on("line", drawLine);
  on("here", drawHere);
  on("toast", toast);
  on("why-not-here", () => toast({ words: t(`patch.place.${state.here === "found" ? "old" : state.here}`), kind: "bad" }));
  on("sent", ({ item, answer }) => { toast({ words: item.kind === "report" ? t("patch.sent.report", { code: answer.code }) : answer.message ?? t("patch.sent"), kind: "good" }); refresh(); });
  on("refused", (item) => toast({ words: t("patch.refused_because", { why: item.refused.message }), kind: "bad" }));
  byId("waiting").onclick = () => view("me");
  byId("fix").onclick = () => byId("here").click();
  byId("theme").onclick = theme;
  byId("insecure").hidden = window.isSecureContext;
  issue.start();
  report.start();
  patrol.start();
  me.start();
  drawHere();
  drawLine();
  const kept = await store.kept(state.account, "data").catch(() => null);
  if (kept) { state.data = kept.data; state.dataAt = kept.at; say("data", kept.data); say("kept"); }
  drawList();
  view("home");
  here.start();
  queue.start();
  await refresh();
  document.body.dataset.ready = "";
  setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("online", refresh);
  prepare();
}

function theme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("patch-theme", root.dataset.theme); } catch { /* private window: it holds until the page is left */ }
  say("theme");
}

start();
