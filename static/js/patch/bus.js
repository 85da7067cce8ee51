// What the parts of the page share: who is here, what was asked last, and a way to tell each other.

import { boot } from "../page/words.js";

export const state = {
  account: boot.account,
  // "open", "away" (no line), "expired" (sign in again) or "other" (somebody else signed in here)
  line: navigator.onLine ? "open" : "away",
  data: null,
  dataAt: null,
  fix: null,
  here: "wait",
  waiting: [],
  waitingFixes: 0,
  patrol: null,
  kept: null,
};

const heard = new EventTarget();
export const on = (what, listener) => heard.addEventListener(what, (event) => listener(event.detail));
export const say = (what, detail) => heard.dispatchEvent(new CustomEvent(what, { detail }));

export function line(now) {
  if (state.line === now) return;
  state.line = now;
  say("line");
}
