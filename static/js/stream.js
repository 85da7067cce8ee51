// One line to the stream of what happens, kept open whatever befalls it. A plain script: the worker of all tabs takes it
// in, and so does a page without shared workers.
"use strict";

(() => {
  // The server is never silent for longer than five seconds. Three times that is a line that is dead and does not know.
  const SILENT_MS = 15_000;
  const LOOK_MS = 2000;
  const AGAIN_MS = [2000, 4000];

  // hear: gets {state, at} (at: when something was heard last) and {name, seq, data}.
  self.ShaotuStream = class {
    constructor(after, hear) {
      Object.assign(this, { last: after, hear, heard: null, tried: 0, source: null, again: 0, state: "wait" });
      setInterval(() => this.look(), LOOK_MS);
      self.addEventListener("offline", () => this.tell("wait"));
      self.addEventListener("online", () => this.open());
      this.open();
    }

    open() {
      this.source?.close();
      clearTimeout(this.again);
      this.again = 0;
      this.tried = Date.now();
      const source = this.source = new EventSource(`/api/v1/live?after=${this.last}`);
      source.onopen = () => this.alive();
      source.onerror = () => this.lost(source.readyState === EventSource.CLOSED);
      source.addEventListener("alive", (message) => { this.last = Math.max(this.last, Number(message.lastEventId)); this.alive(); });
      for (const name of ["change", "reset"]) source.addEventListener(name, (message) => this.take(name, message));
    }

    alive() {
      this.heard = Date.now();
      this.tell("open");
    }

    take(name, message) {
      const seq = Number(message.lastEventId) || this.last;
      this.heard = Date.now();
      if (name === "change" && seq <= this.last) return;
      this.last = seq;
      if (this.state !== "open") this.tell("open");
      this.hear({ name, seq, data: JSON.parse(message.data) });
    }

    // A browser comes back by itself from a broken line, but not from an answer it does not like.
    lost(refused) {
      this.tell(refused ? "refused" : "wait");
      if (refused && !this.again) this.again = setTimeout(() => this.open(), AGAIN_MS[0] + Math.random() * (AGAIN_MS[1] - AGAIN_MS[0]));
    }

    look() {
      if (this.again || Date.now() - Math.max(this.heard, this.tried) < SILENT_MS) return;
      this.tell("wait");
      this.open();
    }

    tell(state) {
      this.state = state;
      this.hear({ state, at: this.heard });
    }
  };
})();
