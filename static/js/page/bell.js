// The bell: notices for whoever is signed in. It asks when the page opens and when something changed, at most this often.

import { byId, button, el, fill } from "./dom.js";
import { ask, tell } from "./doors.js";
import { fullTime, number, t } from "./words.js";
import { on } from "./state.js";

const PAUSE_MS = 3000;
const bell = byId("bell");
let last = 0;
let waiting = 0;

export function look() {
  waiting ||= setTimeout(refresh, Math.max(0, last + PAUSE_MS - Date.now()));
}

async function refresh() {
  waiting = 0;
  last = Date.now();
  const told = await ask("/api/v1/notices").catch(() => null);
  if (told) draw(told);
}

function draw({ unread, notices }) {
  const count = byId("bell-count");
  count.hidden = !unread;
  count.textContent = number(unread);
  const words = unread ? t("notices.unread", { n: number(unread) }) : t("notices");
  for (const name of ["aria-label", "title"]) bell.querySelector("summary").setAttribute(name, words);
  fill(byId("bell-list"), notices.length ? notices.map(line) : el("li", { class: "empty" }, t("notices.none")));
  bell.newest = notices[0]?.id;
  if (bell.open && unread) read();
}

function line({ said, at, read, code }) {
  const words = [el("time", { datetime: at, class: "quiet" }, fullTime(at)), el("span", {}, said)];
  return el("li", { class: read ? "read" : "unread" }, code ? button(words, () => open(code), { class: "plain-button" }) : words);
}

async function open(code) {
  bell.open = false;
  const issue = await import("./issue.js");
  issue.open(code).catch(() => null);
}

async function read() {
  if (!bell.newest) return;
  const { unread } = await tell("/api/v1/notices/read", { up_to: bell.newest }).catch(() => ({}));
  if (unread === 0) byId("bell-count").hidden = true;
}

bell.addEventListener("toggle", () => { if (bell.open) read(); });
on("changed", look);
look();
