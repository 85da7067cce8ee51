// How far booklets are: asked for as long as one is being made; who leaves and comes back finds it where it is.

import { ask } from "../page/doors.js";
import { t } from "../page/words.js";

const EVERY_MS = 1500;
const open = () => [...document.querySelectorAll('[data-booklet]:is([data-state="waiting"], [data-state="going"])')];

async function look() {
  for (const row of open()) {
    const each = await ask(`/booklets/${row.dataset.booklet}`);
    row.dataset.state = each.state;
    row.querySelector("progress").value = each.done_n;
    row.querySelector(".told").textContent = t(`booklet.state.${each.state}`, { done: each.done_n, total: each.total_n });
    row.querySelector("a").hidden = each.state !== "ready";
  }
}

async function watch() {
  while (open().length) {
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
    // the line being away is told by the door; the next look may find it again
    await look().catch(() => {});
  }
}

watch();
