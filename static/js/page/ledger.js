// The ledger by keyboard, and one move on many issues: chosen, looked at, carried out, taken back. Without this the page
// still lists, filters and turns its pages.

import "./theme.js";
import { el, fill } from "./dom.js";

const byId = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll("#ledger tbody tr")];
const sweep = byId("sweep");
const out = byId("sweep-out");
const moves = JSON.parse(sweep.dataset.moves);
let looked = null;

// ---- what stands empty is left out of the address, so that links stay short
byId("ledger-filters").addEventListener("submit", ({ target }) => {
  for (const field of target.elements) if (field.name && !field.value) field.disabled = true;
});
addEventListener("pageshow", () => { for (const field of byId("ledger-filters").elements) field.disabled = false; });

byId("ledger-count")?.addEventListener("click", async ({ target }) => {
  target.disabled = true;
  const answer = await fetch(target.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) { target.disabled = false; return; }
  const { total } = await answer.json();
  byId("ledger-sum").textContent = target.dataset.said.replace("#", total.toLocaleString());
});

// ---- keys
const focusRow = (row) => {
  if (!row) return;
  for (const each of rows) each.tabIndex = each === row ? 0 : -1;
  row.focus();
};
const typing = (target) => target.matches("input:not([type=checkbox]), textarea, select");
const KEYS = {
  ArrowDown: (row) => focusRow(row ? rows[rows.indexOf(row) + 1] : rows[0]), ArrowUp: (row) => focusRow(rows[rows.indexOf(row) - 1]),
  Home: () => focusRow(rows[0]), End: () => focusRow(rows.at(-1)),
  Enter: (row) => row?.querySelector("a")?.click(),
  " ": (row) => row && pick(row, !chosen(row)),
  "/": () => byId("ledger-text").focus(),
  n: () => document.querySelector("[rel=next]")?.click(), p: () => document.querySelector("[rel=prev]")?.click(),
};
KEYS.j = KEYS.ArrowDown;
KEYS.k = KEYS.ArrowUp;
KEYS.x = KEYS[" "];
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !KEYS[event.key]) return;
  const row = event.target.closest("#ledger tbody tr");
  const moving = event.key.startsWith("Arrow") || [" ", "Enter", "Home", "End"].includes(event.key);
  // from nowhere the first arrow enters the list; anything else stays the browser's
  if (moving && !row && !(event.key === "ArrowDown" && event.target === document.body)) return;
  if (event.key === "/" ) document.querySelector(".filters-fold").open = true;
  event.preventDefault();
  KEYS[event.key](row);
});

// ---- choosing
const box = (row) => row.querySelector("input[type=checkbox]");
const chosen = (row) => box(row).checked;
const picked = () => rows.filter(chosen);
function pick(row, on) {
  box(row).checked = on;
  drawChoice();
}
function drawChoice() {
  const n = picked().length;
  for (const row of rows) row.toggleAttribute("data-picked", chosen(row));
  sweep.hidden = !n && !out.childElementCount;
  byId("sweep-n").textContent = n;
  if (byId("pick-all")) byId("pick-all").checked = n > 0 && n === rows.length;
  forget();
}
function forget() {
  looked = null;
  byId("sweep-go").hidden = true;
}
document.addEventListener("change", ({ target }) => {
  if (target.id === "pick-all") for (const row of rows) box(row).checked = target.checked;
  if (target.matches("#ledger input")) drawChoice();
});
byId("sweep-none").addEventListener("click", () => {
  for (const row of rows) box(row).checked = false;
  fill(out);
  drawChoice();
});

// ---- the move and what it needs
byId("sweep-move").addEventListener("change", ({ target }) => {
  const move = moves.find((each) => each.move === target.value);
  fill(byId("sweep-fields"), (move?.needs || []).map((need) => el("label", {}, need.label, field(need))));
  forget();
});
byId("sweep-fields").addEventListener("input", forget);
function field(need) {
  const shared = { name: need.name, required: need.required };
  if (need.kind === "choice") return el("select", shared, el("option", { value: "" }, "—"), need.choices.map((each) => el("option", { value: each.value }, each.label)));
  if (need.kind === "date") return el("input", { ...shared, type: "date" });
  if (need.kind.startsWith("department")) return el("input", { ...shared, list: "of-departments", data: { many: need.kind === "departments" ? "1" : "" } });
  return el("textarea", { ...shared, rows: 2, maxlength: 2000 });
}
function wish() {
  const fields = {};
  for (const input of byId("sweep-fields").querySelectorAll("[name]")) {
    const said = input.value.trim();
    if (said) fields[input.name] = input.dataset.many ? said.split(/[\s,，、]+/) : said;
  }
  const issues = Object.fromEntries(picked().map((row) => [row.dataset.code, Number(row.dataset.version)]));
  return { move: byId("sweep-move").value, issues, fields };
}

// ---- looking, carrying out, taking back
async function tell(path, body) {
  sweep.setAttribute("aria-busy", "true");
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": sweep.dataset.csrf };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  sweep.removeAttribute("aria-busy");
  if (answer?.ok) return said;
  fill(out, el("p", { class: "refusal", role: "alert" }, said?.error?.message || out.dataset.away));
  return null;
}
const sum = (words, told) => words.replace("##", told.outcomes.length).replace("#", told.moved_n);
const outcome = (each) => el("li", { class: each.moved ? "good" : "bad" }, el("code", {}, each.issue), " ", el("b", { "aria-hidden": "true" }, each.moved ? "✓" : "✕"), " ", each.said);

sweep.addEventListener("submit", async (event) => {
  event.preventDefault();
  const asked = wish();
  if (!asked.move) return byId("sweep-move").focus();
  const told = await tell("/api/v1/sweeps/preview", asked);
  if (!told) return null;
  looked = asked;
  fill(out, el("p", {}, el("b", {}, sum(out.dataset.would, told))), el("ol", { class: "plain" }, told.outcomes.map(outcome)));
  byId("sweep-go").hidden = !told.moved_n;
  byId("sweep-go").textContent = byId("sweep-go").dataset.said.replace("#", told.moved_n);
  out.focus();
  return null;
});
byId("sweep-go").addEventListener("click", async () => {
  if (looked) done(await tell("/api/v1/sweeps", looked));
});
function done(told) {
  if (!told) return;
  forget();
  for (const row of rows) box(row).checked = false;
  if (byId("pick-all")) byId("pick-all").checked = false;
  const why = el("input", { "aria-label": out.dataset.why, placeholder: out.dataset.why, maxlength: 500 });
  const undo = told.undone_by && told.moved_n && !told.undoes
    ? el("p", { class: "undo" }, told.undone_by === "unstrike" ? why : null, el("button", { type: "button", onclick: async () => done(await tell(`/api/v1/sweeps/${told.id}/undo`, { fields: why.value.trim() && told.undone_by === "unstrike" ? { reason: why.value.trim() } : {} })) }, out.dataset.undo)) : null;
  fill(out, el("p", {}, el("b", {}, sum(out.dataset.did, told)), " ", el("a", { href: location.href }, out.dataset.again)), undo, el("ol", { class: "plain" }, told.outcomes.map(outcome)));
  for (const row of rows) row.removeAttribute("data-picked");
  byId("sweep-n").textContent = 0;
  out.focus();
}
drawChoice();
