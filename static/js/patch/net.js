// Asking the server: an answer always comes back, and says itself whether there was a line.

import { t } from "../page/words.js";
import { line } from "./bus.js";

const ASK_MS = 20_000;
// a photo over a bad line
const SEND_MS = 120_000;

export const AWAY = 0;

export const ask = (path) => answered(path, { headers: { Accept: "application/json" } }, ASK_MS);

export function tell(path, body, csrf) {
  const json = !(body instanceof FormData);
  const headers = { Accept: "application/json", "X-CSRFToken": csrf, ...(json ? { "Content-Type": "application/json" } : {}) };
  return answered(path, { method: "POST", headers, body: json ? JSON.stringify(body) : body }, SEND_MS);
}

async function answered(path, options, patienceMs) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), patienceMs);
  try {
    const response = await fetch(path, { ...options, signal: patience.signal, cache: "no-store" });
    const body = await response.json().catch(() => null);
    if (response.status === 401) line("expired");
    else if (response.status < 500) line("open");
    return { status: response.status, body, message: body?.error?.message || t("patch.refused", { status: response.status }) };
  } catch {
    line("away");
    return { status: AWAY, body: null, message: t("patch.away") };
  } finally {
    clearTimeout(timer);
  }
}
