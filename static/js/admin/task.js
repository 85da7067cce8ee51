// How far long work is. It goes on when this page is left; what is shown here is asked for, not kept.

const box = document.getElementById("task");
const bar = document.getElementById("task-bar");
const step = document.getElementById("task-step");
const PAUSE_MS = 1000;

async function look() {
  try {
    const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
    // signed out meanwhile: the page itself leads to the sign-in
    if (answer.status === 401) return location.reload();
    const { state, step: said, done_n: done, total_n: total } = await answer.json();
    if (!["waiting", "running"].includes(state)) return location.reload();
    if (said) step.textContent = total ? `${said} ${done + 1} / ${total}` : said;
    if (total) { bar.max = total; bar.value = done; } else bar.removeAttribute("value");
  } catch { /* the server is away for a moment: asked again below */ }
  setTimeout(look, PAUSE_MS);
}

setTimeout(look, PAUSE_MS);
