// The time slider: issues as they stood at a moment, from the record; played back, or moved by hand.

import { button, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { boot, fullTime, number, t } from "./words.js";
import { asQuery, say, since, state } from "./state.js";
import { light, known } from "./lights.js";
import { map } from "./map.js";

const DAY_MS = 86_400_000;
// A playback takes this long at single speed, whatever the stretch.
const PLAY_MS = 24_000;
const SPEEDS = [0.5, 1, 2, 4];
const LISTED = 40;
const pane = map.getPane("past") || map.createPane("past");
pane.style.zIndex = 590;
pane.style.pointerEvents = "none";

// A canvas over the whole view: dots are drawn anew for each moment, thousands of them at once.
const Dots = L.Layer.extend({
  onAdd() { this.canvas = L.DomUtil.create("canvas", "past-dots", pane); map.on("moveend zoomend resize", this.place, this); this.place(); },
  onRemove() { map.off("moveend zoomend resize", this.place, this); this.canvas.remove(); },
  place() {
    const { x, y } = map.getSize();
    const dots = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: x * dots, height: y * dots });
    Object.assign(this.canvas.style, { width: `${x}px`, height: `${y}px` });
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
    this.draw();
  },
  draw() {
    const pen = this.canvas.getContext("2d");
    const dots = devicePixelRatio || 1;
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const radius = 5 * window.Shaotu.scale;
    pen.lineWidth = 1.2;
    pen.strokeStyle = window.Shaotu.theme() === "dark" ? "#0b1219" : "#ffffff";
    for (const { lat, lon, colour } of now.open) {
      const { x, y } = map.latLngToContainerPoint([lat, lon]);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fillStyle = colour;
      pen.fill();
      pen.stroke();
    }
  },
});
const dots = new Dots();
const now = { at: 0, open: [], over: 0 };

export async function open(box, close) {
  const from = since() || new Date(Date.now() - 30 * DAY_MS);
  fill(box, el("p", { class: "quiet" }, t("loading")));
  const { since: _, until: __, order: ___, ...filters } = asQuery();
  const told = await ask("/map/past", { ...filters, from: from.toISOString() });
  const record = read(told);
  const [start, end] = [Date.parse(told.from), Date.parse(told.to)];
  const parts = controls({ start, end, record, complete: told.complete, close });
  fill(box, parts.nodes);
  for (const each of ["markerPane", "heat"]) hide(each, true);
  dots.addTo(map);
  parts.go(Date.parse(state.past) || end);
  return () => { parts.stop(); dots.remove(); for (const each of ["markerPane", "heat"]) hide(each, false); state.past = ""; say("moved"); };
}

// What is true now would lie over what was true then.
const hide = (which, on) => { if (which === "markerPane") map.getPane(which).style.visibility = on ? "hidden" : ""; else document.body.classList.toggle("in-past", on); };

function read({ states, ends, issues }) {
  const over = new Set(ends.map((each) => states.indexOf(each)));
  const colours = states.map((each) => known.get(boot.lights.find((one) => one.stages.includes(each))?.code)?.colour || "#0b5c96");
  const ways = issues.map(([code, lon, lat, ...steps]) => ({ code, lon, lat, steps }));
  return (at) => {
    const s = at / 1000;
    now.open = [];
    now.over = 0;
    now.at = at;
    for (const { code, lon, lat, steps } of ways) {
      let found = -1;
      for (let nth = 0; nth < steps.length && steps[nth] <= s; nth += 2) found = steps[nth + 1];
      if (found < 0) continue;
      if (over.has(found)) now.over += 1;
      else now.open.push({ code, lon, lat, state: states[found], colour: colours[found] });
    }
  };
}

function controls({ start, end, record, complete, close }) {
  const slider = el("input", { type: "range", id: "past-at", min: 0, max: 1000, value: 1000, "aria-label": t("past.slider"), oninput: () => go(start + (end - start) * slider.value / 1000) });
  const as = el("b", { id: "past-as-of" });
  const sums = el("p", { id: "past-sums" });
  const list = el("div", { class: "past-list" });
  const speed = el("select", { id: "past-speed", "aria-label": t("past.speed") }, SPEEDS.map((each) => el("option", { value: each, selected: each === 1 }, `${each}×`)));
  const play = button(t("past.play"), () => (frame ? stop() : run()), { class: "main", id: "past-play", "aria-pressed": "false" });
  const step = (end - start) / 48;
  let frame = 0;
  let last = 0;

  function go(at) {
    record(Math.min(end, Math.max(start, at)));
    slider.value = String((now.at - start) / (end - start) * 1000);
    slider.setAttribute("aria-valuetext", fullTime(now.at));
    as.textContent = t("past.as_of", { at: fullTime(now.at) });
    sums.textContent = t("past.counts", { open: number(now.open.length), over: number(now.over) });
    dots.draw();
    if (frame) return;
    fill(list, el("ol", { class: "plain rows" }, now.open.slice(0, LISTED).map(row)));
    state.past = now.at >= end ? "" : new Date(now.at).toISOString();
    say("moved");
  }
  function run() {
    if (now.at >= end) go(start);
    play.textContent = t("past.pause");
    play.setAttribute("aria-pressed", "true");
    last = performance.now();
    frame = requestAnimationFrame(tick);
  }
  function tick(time) {
    const at = now.at + (time - last) / PLAY_MS * (end - start) * Number(speed.value);
    last = time;
    go(at);
    if (at >= end) stop();
    else frame = requestAnimationFrame(tick);
  }
  function stop() {
    cancelAnimationFrame(frame);
    frame = 0;
    play.textContent = t("past.play");
    play.setAttribute("aria-pressed", "false");
    go(now.at);
  }
  const nodes = [
    el("p", { role: "status" }, as), sums, slider,
    el("div", { class: "moves" }, button("‹", () => go(now.at - step), { class: "square", "aria-label": t("past.earlier"), title: t("past.earlier") }), play, button("›", () => go(now.at + step), { class: "square", "aria-label": t("past.later"), title: t("past.later") }), speed, button(t("past.back"), () => close())),
    complete ? null : el("p", { class: "quiet" }, t("past.some", { n: number(10_000) })),
    el("details", {}, el("summary", {}, t("past.list")), list),
  ];
  return { nodes, go, stop: () => cancelAnimationFrame(frame) };
}

const row = (each) => el("li", {}, el("button", { type: "button", class: "row", onclick: () => say("issue", each.code) },
  el("span", { class: "row-main" }, el("span", {}, each.code), el("span", { class: "row-foot" }, light(boot.lights.find((one) => one.stages.includes(each.state))?.code), t(`state.${each.state}`)))));
