// Asking the server, and saying clearly when it does not answer or knows us no more.

import { boot, t } from "./words.js";
import { byId, el, fill } from "./dom.js";

export class Refused extends Error {
  constructor(status, said) {
    super(said?.message || t("refused", { status }));
    this.status = status;
    this.code = said?.code;
  }
}

export async function ask(path, params = {}) {
  return answered(() => fetch(params.size || Object.keys(params).length ? `${path}?${new URLSearchParams(params)}` : path, {
    headers: { Accept: "application/json" },
  }));
}

export async function tell(path, body) {
  return answered(() => fetch(path, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": boot.csrf },
    body: JSON.stringify(body),
  }));
}

// JSON, and with photos a form that carries the JSON beside them.
export async function send(path, name, body, files) {
  if (!Object.keys(files).length) return tell(path, body);
  const form = new FormData();
  form.set(name, JSON.stringify(body));
  for (const [field, file] of Object.entries(files)) form.set(field, file);
  return answered(() => fetch(path, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": boot.csrf }, body: form }));
}

async function answered(send) {
  let response;
  try {
    response = await send();
  } catch {
    notice("away", t("away"));
    throw new Refused(0, { message: t("away") });
  }
  const said = await response.json().catch(() => null);
  if (response.status === 401) notice("expired", t("expired"), el("a", { href: "/sign-in?next=/" }, t("sign_in")));
  if (!response.ok) {
    if (response.status >= 500) notice("away", said?.error?.message || t("away"));
    throw new Refused(response.status, said?.error);
  }
  clear("away");
  return said;
}

const shown = byId("notice");

export function notice(kind, ...words) {
  // who must sign in again need not hear that the server is away
  if (shown.dataset.kind === "expired") return;
  shown.dataset.kind = kind;
  shown.hidden = false;
  fill(shown, el("span", {}, words[0]), ...words.slice(1));
}

export function clear(kind) {
  if (shown.dataset.kind !== kind) return;
  shown.hidden = true;
  delete shown.dataset.kind;
}
