// One stream for all tabs: a browser opens six connections to a host, and the seventh tab would wait for ever.
"use strict";

const KEPT = 500;
const AGAIN_MS = 3000;
const tabs = new Set();
const recent = [];
let source = null;
let last = null;
let state = "wait";

self.onconnect = ({ ports: [port] }) => {
  tabs.add(port);
  port.onmessage = ({ data }) => (data.bye ? tabs.delete(port) : welcome(port, data.after));
};

// A tab has seen everything up to `after`; what came since then is told again from what is kept.
function welcome(port, after) {
  port.postMessage({ state });
  if (source === null) {
    last = after;
    open();
    return;
  }
  const behind = recent.filter((event) => event.seq > after);
  const complete = after >= last || (recent.length > 0 && recent[0].seq <= after + 1);
  for (const event of complete ? behind : [{ name: "reset", seq: last, data: { seq: last } }]) port.postMessage(event);
}

function open() {
  source = new EventSource(`/api/v1/live?after=${last}`);
  source.onopen = () => tell("open");
  source.onerror = () => {
    tell(source.readyState === EventSource.CLOSED ? "refused" : "wait");
    if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS);
  };
  for (const name of ["change", "reset"]) source.addEventListener(name, (message) => pass(name, message));
  source.addEventListener("alive", () => tell("open"));
}

function pass(name, message) {
  const seq = Number(message.lastEventId) || last;
  if (name === "change" && seq <= last) return;
  last = seq;
  const event = { name, seq, data: JSON.parse(message.data) };
  recent.push(event);
  if (recent.length > KEPT) recent.shift();
  state = "open";
  for (const port of tabs) port.postMessage(event);
}

function tell(now) {
  state = now;
  for (const port of tabs) port.postMessage({ state, at: Date.now() });
}
