// The wall put together: what is asked and when, what the stream changes at once, and what is asked anew after it.

import { byId } from "../page/dom.js";
import { ask } from "../page/doors.js";
import { follow } from "../page/live.js";
import { boot } from "../page/words.js";
import * as clock from "./clock.js";
import * as feed from "./feed.js";
import * as figures from "./figures.js";
import * as light from "./light.js";
import * as map from "./map.js";
import * as tour from "./tour.js";
import { ranks } from "./ranks.js";

// What came meanwhile is drawn together: ten times a second, or as seldom as drawing takes no more than a fifth of the time.
const BATCH_MS = 100;
const FIFTH = 4;
const SOON_MS = 300;
const FIGURES_MS = 3000;
// Time passes for issues also when nothing happens, and asking keeps the session.
const AT_LEAST_MS = 30_000;
// Shades of the units and pins of issues that left without a word.
const WHOLE_MS = 300_000;
const AGAIN_MS = 3000;

let following = false;
let waiting = [];
let drawAt = 0;
let drawing = 0;
let figuresAt = 0;
let figuresDue = 0;
let whole = 0;

async function read() {
  const mine = ++whole;
  try {
    const told = await ask("/wall/state");
    if (mine !== whole) return;
    map.draw(told);
    if (!following) listen(told.seq);
    await readFigures();
  } catch (error) {
    light.refused(error.status);
    setTimeout(() => mine === whole && read(), AGAIN_MS);
  }
}

async function readFigures() {
  clearTimeout(figuresDue);
  figuresDue = 0;
  figuresAt = Date.now();
  const told = await ask("/wall/figures");
  light.answered();
  clock.set(told.at);
  figures.draw(told);
  feed.begin(told.feed);
  ranks.late(told.late);
  ranks.hotspots(told.hotspots);
  tour.take(told.hotspots);
}

// Numbers that are refused stay as they were, and the light tells.
function soonFigures() {
  figuresDue ||= setTimeout(() => readFigures().catch(({ status }) => { light.refused(status); soonFigures(); }), Math.max(SOON_MS, figuresAt + FIGURES_MS - Date.now()));
}

function listen(seq) {
  following = true;
  follow(seq, {
    changed: (event) => { light.heard(); waiting.push(event); drawSoon(); },
    reset: () => { light.heard(); waiting = []; read(); },
    stateChanged: (state, at) => { if (light.line(state, at)) read(); },
  });
}

function drawSoon() {
  drawing ||= setTimeout(() => requestAnimationFrame(drawWaiting), Math.max(0, drawAt - performance.now()));
}

function drawWaiting() {
  const events = waiting;
  waiting = [];
  drawing = 0;
  const began = performance.now();
  map.apply(events);
  feed.add(events);
  drawAt = performance.now() + Math.max(BATCH_MS, FIFTH * (performance.now() - began));
  soonFigures();
}

byId("theme").addEventListener("click", () => {
  const theme = window.Shaotu.theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("theme", theme); } catch { /* private window: it holds until the page is left */ }
  map.repaint();
});

map.start();
tour.start();
clock.start(() => light.live());
light.start();
read();
setInterval(() => { if (Date.now() - figuresAt > AT_LEAST_MS) soonFigures(); }, 1000);
setInterval(read, WHOLE_MS);
