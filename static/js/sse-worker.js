// One stream for all tabs: a browser opens six connections to a host, and the seventh tab would wait for ever.
"use strict";

importScripts("/static/js/stream.js");

const KEPT = 500;
const tabs = new Set();
const recent = [];
let stream = null;
// Everything behind this number is in `recent`.
let since = null;

self.onconnect = ({ ports: [port] }) => {
  tabs.add(port);
  port.onmessage = ({ data }) => (data.bye ? tabs.delete(port) : welcome(port, data.after));
};

// A tab has seen everything up to `after`; what came since then is told again from what is kept.
function welcome(port, after) {
  if (stream === null) {
    since = after;
    stream = new ShaotuStream(after, hear);
    return;
  }
  port.postMessage({ state: stream.state, at: stream.heard });
  const missed = after >= since ? recent.filter((event) => event.seq > after) : [{ name: "reset", seq: stream.last, data: { seq: stream.last } }];
  for (const event of missed) port.postMessage(event);
}

function hear(event) {
  if (event.name) {
    recent.push(event);
    if (recent.length > KEPT) since = recent.shift().seq;
  }
  for (const port of tabs) port.postMessage(event);
}
