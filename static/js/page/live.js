// The stream of what happens. One worker reads it for all tabs; a browser without shared workers reads it here.

import "../stream.js";

// stateChanged: gets the state of the line, and when something was heard on it last.
export function follow(after, { changed, reset, stateChanged }) {
  const hear = (event) => {
    if (event.state) stateChanged(event.state, event.at);
    else if (event.name === "reset") reset();
    else if (event.name === "change") changed(event.data);
  };
  if (typeof SharedWorker !== "function") new self.ShaotuStream(after, hear);
  else byWorker(after, hear);
}

function byWorker(after, hear) {
  const worker = new SharedWorker("/static/js/sse-worker.js", { name: "shaotu" });
  worker.port.onmessage = ({ data }) => hear(data);
  worker.port.postMessage({ after });
  addEventListener("pagehide", () => worker.port.postMessage({ bye: true }));
}
