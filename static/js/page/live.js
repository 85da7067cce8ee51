// The stream of what happens. One worker reads it for all tabs; a browser without shared workers reads it here.

export function follow(after, { changed, reset, stateChanged }) {
  const hear = (event) => {
    if (event.state) stateChanged(event.state);
    else if (event.name === "reset") reset();
    else if (event.name === "change") changed(event.data);
  };
  return typeof SharedWorker === "function" ? byWorker(after, hear) : byPage(after, hear);
}

function byWorker(after, hear) {
  const worker = new SharedWorker("/static/js/sse-worker.js", { name: "shaotu" });
  worker.port.onmessage = ({ data }) => hear(data);
  worker.port.postMessage({ after });
  addEventListener("pagehide", () => worker.port.postMessage({ bye: true }));
}

function byPage(after, hear) {
  let last = after;
  const open = () => {
    const source = new EventSource(`/api/v1/live?after=${last}`);
    source.onopen = () => hear({ state: "open" });
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED;
      hear({ state: refused ? "refused" : "wait" });
      if (refused) setTimeout(open, 3000);
    };
    source.addEventListener("alive", () => hear({ state: "open" }));
    for (const name of ["change", "reset"]) {
      source.addEventListener(name, (message) => {
        const seq = Number(message.lastEventId) || last;
        if (name === "change" && seq <= last) return;
        last = seq;
        hear({ name, seq, data: JSON.parse(message.data) });
      });
    }
  };
  open();
}
