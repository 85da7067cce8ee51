// The honest light: how long ago anything was heard from the server, heartbeats too; red, with words, when it is too long.

import { byId, el, fill } from "../page/dom.js";
import { age, t } from "../page/words.js";
import { timeOf } from "./clock.js";

// The server says something every five seconds: after twice that and a bit the line is broken, whatever it believes.
const BROKEN_MS = 12_000;

// at: when something was heard last; refused: the status of a question that was not answered since answeredAt.
const now = { state: "wait", at: null, refused: 0, answeredAt: null };
let shown = "";
let told = 0;

export function heard() {
  now.at = Date.now();
  draw();
}

// Returns whether the line is there again after it was gone: then what is shown has to be read anew.
export function line(state, at) {
  const back = state === "open" && shown === "broken";
  now.state = state;
  if (at) now.at = Math.max(at, now.at || 0);
  draw();
  return back;
}

export function answered() {
  Object.assign(now, { refused: 0, answeredAt: Date.now() });
  draw();
}

export function refused(status) {
  now.refused = status || 1;
  draw();
}

export const live = () => shown === "open";

export function start() {
  setInterval(draw, 1000);
}

// A line that is open helps nothing while the numbers are not answered: they stand still.
function standing() {
  if (now.refused) return "broken";
  if (now.at === null) return "wait";
  return now.state === "open" && Date.now() - now.at < BROKEN_MS ? "open" : "broken";
}

function draw() {
  const state = standing();
  const since = now.refused ? now.answeredAt : now.at;
  byId("live").dataset.state = document.body.dataset.line = state;
  byId("live-text").textContent = t(since === null ? "wall.live.wait" : `wall.live.${state}`, { age: since === null ? "" : age(since) });
  if (state === shown && now.refused === told) return;
  shown = state;
  told = now.refused;
  // read out when it changes, not every second
  byId("live-said").textContent = t(`wall.said.${state}`);
  byId("broken").hidden = state !== "broken";
  if (state === "broken") fill(byId("broken"), ...words(since));
}

function words(since) {
  if (now.refused === 401) return [t("wall.signed_out"), " ", el("a", { href: "/sign-in?next=/wall" }, t("sign_in"))];
  return [since === null ? t("wall.never") : t("wall.frozen", { at: timeOf(since) })];
}
