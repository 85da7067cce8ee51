// The clock of the city, by the server's time: a screen's own may be anything. And the quiet reload at night.

import { byId } from "../page/dom.js";
import { boot } from "../page/words.js";

const english = boot.locale === "en" ? "en-GB" : "zh-CN";
const time = new Intl.DateTimeFormat(english, { timeZone: boot.time_zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const short = new Intl.DateTimeFormat(english, { timeZone: boot.time_zone, hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(english, { timeZone: boot.time_zone, month: "short", day: "numeric", weekday: "short" });
const parts = new Intl.DateTimeFormat("en-GB", { timeZone: boot.time_zone, hour: "2-digit", minute: "2-digit", hour12: false });

// A screen that stays on for months takes in new scripts, and gives back what a browser hoards; not all at once.
const RELOAD_HOUR = "04";
const RELOAD_MINUTE = String(Math.floor(Math.random() * 60)).padStart(2, "0");
const AWAKE_MS = 6 * 3_600_000;

const opened = Date.now();
let ahead = 0;
let reloading = false;

export const set = (at) => { ahead = new Date(at) - Date.now(); };
export const now = () => Date.now() + ahead;
export const timeOf = (at) => time.format(new Date(at + ahead));
export const minuteOf = (iso) => short.format(new Date(iso));

// live: whether the server is there to load the page from.
export function start(live) {
  draw();
  setInterval(() => { draw(); if (live() && isNight()) reload(); }, 1000);
}

function draw() {
  byId("clock").textContent = time.format(now());
  byId("clock").title = boot.time_zone;
  byId("day").textContent = day.format(now());
}

const isNight = () => Date.now() - opened > AWAKE_MS && parts.format(now()) === `${RELOAD_HOUR}:${RELOAD_MINUTE}`;

async function reload() {
  if (reloading) return;
  reloading = true;
  const answer = await fetch("/readyz").catch(() => null);
  if (answer?.ok) location.reload();
  reloading = false;
}
