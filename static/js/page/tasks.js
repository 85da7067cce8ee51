// How far long work is: asked for as long as some goes on; who leaves and comes back finds it where it is.

import { ask } from "./doors.js";

const EVERY_MS = 1500;
const open = () => [...document.querySelectorAll('[data-task]:is([data-state="waiting"], [data-state="running"])')];

async function look(row) {
  const { state, said, done_n: done, total_n: total } = await ask(row.dataset.task);
  const bar = row.querySelector("progress");
  if (total) { bar.max = total; bar.value = done; } else bar.removeAttribute("value");
  row.querySelector(".told").textContent = said;
  row.dataset.state = state;
  // where all of the page is about it, the server draws what came of it
  if ("whole" in row.dataset && !open().includes(row)) location.reload();
}

async function watch() {
  while (open().length) {
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
    try {
      for (const row of open()) await look(row);
    } catch (refused) {
      // the line being away is told by the door; who has to sign in again is told so once
      if (refused.status === 401) return;
    }
  }
}

watch();
