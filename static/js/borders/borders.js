// The planner's page: table and map choose the same thing, and the address keeps it. Without scripts the links do it.

import { byId, el, fill } from "../page/dom.js";
import { boot, t } from "../page/words.js";
import { ask } from "../page/doors.js";
import * as lines from "./lines.js";

const view = byId("ask").elements.view.value;
const table = byId("ranking");
const side = byId("chosen");
const rowOf = (key) => table?.querySelector(`tr[data-key="${CSS.escape(key)}"]`);
const here = () => new URLSearchParams(location.search);
let asked = 0;

async function choose(key, { keep = true, fly = true } = {}) {
  const query = here();
  if (key) query.set("key", key); else query.delete("key");
  if (keep) history.pushState(null, "", `?${query}`);
  for (const row of table?.querySelectorAll("tr[aria-current]") || []) row.removeAttribute("aria-current");
  const row = rowOf(key);
  row?.setAttribute("aria-current", "true");
  row?.scrollIntoView({ block: "nearest" });
  lines.spots(null);
  lines.mark(key, fly);
  await tell(query, ++asked);
}

// What is chosen comes as a piece of the page, written and escaped by the server.
async function tell(query, number) {
  side.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`${boot.paths.chosen}?${query}`, { headers: { Accept: "text/html" } });
    if (number !== asked) return;
    if (answer.status === 401) { location.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`; return; }
    if (!answer.ok) throw new Error(t("refused", { status: answer.status }));
    side.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    side.scrollTop = 0;
    spots();
  } catch (error) {
    if (number === asked) fill(side, el("p", { class: "refusal", role: "alert" }, t("borders.failed", { reason: error.message })), el("button", { type: "button", onclick: () => tell(query, ++asked) }, t("borders.show")));
  } finally {
    if (number === asked) side.removeAttribute("aria-busy");
  }
}

function spots() {
  const drawn = side.querySelector(".drawn-strip");
  lines.spots(drawn && view === "strips" ? JSON.parse(drawn.textContent) : null);
}

function point(key) {
  for (const row of table?.querySelectorAll("tr.pointed") || []) row.classList.remove("pointed");
  if (key) rowOf(key)?.classList.add("pointed");
}

table?.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-key]");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(row.dataset.key);
});
// arrows walk from row to row, as in a list
table?.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...table.querySelectorAll("tbody th a")];
  const next = links[links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
addEventListener("popstate", () => choose(here().get("key") || "", { keep: false }));
document.addEventListener("theme", () => { window.Shaotu.repaint(); lines.restyle(); });
// a choice alone is a question
for (const select of byId("ask").querySelectorAll("select")) select.addEventListener("change", () => byId("ask").requestSubmit());
byId("ask").addEventListener("submit", () => { byId("map-note").textContent = t("borders.loading"); side.setAttribute("aria-busy", "true"); });
addEventListener("pageshow", () => side.removeAttribute("aria-busy"));

window.Shaotu.showBasemap();
L.control.scale({ imperial: false, maxWidth: 140 }).addTo(window.map_main);
if (view === "strips") lines.legend();
const first = here().get("key") || "";
if (first) { rowOf(first)?.scrollIntoView({ block: "nearest" }); lines.mark(first); spots(); } else lines.whole();
const query = here();
query.delete("key");
ask(boot.paths.shapes, query).then((found) => { lines.show(found, choose, point); if (first) lines.mark(first); }).catch((error) => { byId("map-note").textContent = t("borders.failed", { reason: error.message }); });
