// What calls who sits here: a bar that is always seen, said once to who listens, and with a sound for who wants one.

import { button, byId, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { fullTime, moment, nameOf, t } from "./words.js";
import { say } from "./state.js";

const SHOWN = 3;
const bar = byId("alarm");
let known = null;
let sounding = read();

export async function check() {
  const { calls, types } = await ask("/map/calls");
  const keys = new Set(calls.map((each) => each.key));
  const fresh = known === null ? [] : calls.filter((each) => !known.has(each.key));
  known = keys;
  bar.hidden = !calls.length;
  const words = (each) => [t(`alarm.${each.kind}`), nameOf(types[each.type]), each.place].filter(Boolean).join(" · ");
  fill(bar,
    el("b", {}, t("alarm.title", { n: calls.length })),
    el("ul", { class: "plain" }, calls.slice(0, SHOWN).map((each) => el("li", {}, button([words(each), each.due_at ? el("time", { datetime: each.due_at, title: fullTime(each.due_at) }, moment(each.due_at)) : null].flat(), () => say("issue", each.issue), { class: "call", data: { call: each.kind } })))),
    button(t("alarm.sound"), toggle, { class: "sound", "aria-pressed": String(sounding) }));
  if (!fresh.length) return;
  byId("urgent").textContent = t("alarm.new", { what: words(fresh[0]) });
  bar.classList.add("new");
  setTimeout(() => bar.classList.remove("new"), 6000);
  if (sounding) beep();
}

function toggle({ currentTarget }) {
  sounding = !sounding;
  currentTarget.setAttribute("aria-pressed", String(sounding));
  try { localStorage.setItem("alarm", sounding ? "1" : "0"); } catch { /* private window: it holds until the page is left */ }
  if (sounding) beep();
}

function read() {
  try { return localStorage.getItem("alarm") === "1"; } catch { return false; }
}

// Two short tones, made here: nothing is fetched for them.
function beep() {
  const context = new AudioContext();
  for (const [start, tone] of [[0, 880], [0.22, 1175]]) {
    const wave = context.createOscillator();
    const level = context.createGain();
    wave.frequency.value = tone;
    level.gain.setValueAtTime(0.2, context.currentTime + start);
    level.gain.exponentialRampToValueAtTime(0.001, context.currentTime + start + 0.2);
    wave.connect(level).connect(context.destination);
    wave.start(context.currentTime + start);
    wave.stop(context.currentTime + start + 0.2);
  }
  setTimeout(() => context.close(), 1000);
}
