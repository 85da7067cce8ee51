// What waits to be sent: it is on the disk before anything is said to be sent, and leaves it when the server has it.
// Each carries a number of ours, so what is sent twice is one. It belongs to the account that made it.

import { boot } from "../page/words.js";
import { line, say, state } from "./bus.js";
import { ask, tell } from "./net.js";
import * as store from "./store.js";

const LOOK_MS = 5000;
const FIRST_MS = 4000;
const LONGEST_MS = 600_000;
const FIXES_MOST = 200;
const STALE_MOST = 3;

// crypto.randomUUID is not there over plain http
export const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export async function add(item) {
  const whole = { tries: 0, next_at: 0, refused: null, code: null, made_at: new Date().toISOString(), ...item, account: state.account };
  whole.id ??= newId();
  await store.put("queue", whole);
  navigator.storage?.persist?.();
  await look();
  flush();
  return whole;
}

export async function discard(id) {
  await store.remove("queue", id);
  await look();
}

// Count anew what waits, for this account and for others.
export async function look() {
  state.waiting = (await store.all("queue")).sort((a, b) => a.made_at.localeCompare(b.made_at));
  state.waitingFixes = (await store.all("fixes")).length;
  say("waiting");
}

export const mine = () => state.waiting.filter((item) => item.account === state.account);
export const others = () => state.waiting.filter((item) => item.account !== state.account);

let going = null;
let again = null;

export function flush(force = false) {
  // what came in meanwhile goes with the next round, and at once if somebody wants it so
  if (going) { again = { force: force || Boolean(again?.force) }; return going; }
  going = alone(() => round(force)).finally(() => {
    going = null;
    const next = again;
    again = null;
    if (next) flush(next.force);
  });
  return going;
}

// Of several tabs one sends; where a browser has no locks (plain http) the server tells what it knows already.
const alone = (work) => (navigator.locks ? navigator.locks.request("shaotu-queue", work) : work());

async function round(force) {
  await look();
  const unsent = mine().filter((item) => !item.refused);
  const due = unsent.filter((item) => force || item.next_at <= Date.now());
  const fixes = (await store.all("fixes")).filter((fix) => fix.account === state.account);
  const ends = await unsentEnd();
  if (!due.length && !fixes.length && !ends) return;
  const me = await ask("/patch/me");
  if (me.status !== 200) {
    if (me.status !== 401) await Promise.all(due.map(postpone));
    return;
  }
  if (me.body.account !== state.account) { line("other"); return; }
  const skew = new Date(me.body.now) - Date.now();
  // of one issue nothing overtakes what was done before it
  const held = new Set();
  for (const item of unsent) {
    if (!due.includes(item) || held.has(item.code)) { if (item.code) held.add(item.code); continue; }
    const went = await send(item, me.body.csrf, skew);
    if (!went) break;
  }
  await sendTrack(fixes, me.body.csrf, skew);
  await look();
}

// A phone's clock may go wrong; what it says to be later than now is said now.
const corrected = (iso, skew) => new Date(Math.min(new Date(iso).getTime() + skew, Date.now() + skew)).toISOString();

async function send(item, csrf, skew) {
  item.sending = true;
  say("waiting");
  const answer = await SENDERS[item.kind](item, csrf, skew);
  item.sending = false;
  if (answer.status >= 200 && answer.status < 300) {
    await store.remove("queue", item.id);
    say("sent", { item, answer: answer.body });
    return true;
  }
  if (answer.status === 401) return false;
  // a token that another tab's sign-in made void is no fault of what is sent: the next round brings a new one
  const stale = answer.status === 400 && answer.body?.error?.code === "error.invalid" && item.tries < STALE_MOST;
  if (answer.status === 0 || answer.status >= 500 || answer.status === 408 || answer.status === 429 || stale) {
    await postpone(item);
    return false;
  }
  const { sending, ...whole } = { ...item, refused: { status: answer.status, message: answer.message, at: new Date().toISOString() } };
  await store.put("queue", whole);
  say("refused", whole);
  return true;
}

async function postpone(item) {
  const { sending, ...whole } = item;
  whole.tries += 1;
  whole.next_at = Date.now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(whole.tries, 12)) * (0.8 + 0.4 * Math.random());
  await store.put("queue", whole);
}

function form(name, said, files) {
  const made = new FormData();
  made.set(name, JSON.stringify(said));
  for (const [field, blob, filename] of files) made.append(field, blob, filename);
  return made;
}

const SENDERS = {
  async report(item, csrf, skew) {
    if (!item.code) {
      const report = { source: boot.source, external_id: item.id, reported_at: corrected(item.made_at, skew), ...item.body };
      const answer = await tell("/api/v1/issues", form("report", report, item.photos.map((blob, nth) => ["photos", blob, `photo-${nth + 1}.jpg`])), csrf);
      if (answer.status >= 300 || answer.status === 0 || !item.after) return answer;
      // known from here on: what is fixed as well goes on where it stopped
      item.code = answer.body.code;
      const { sending, ...whole } = item;
      await store.put("queue", whole);
    }
    const move = { move: "self_handle", client_id: `${item.id}.self`, fields: item.note ? { note: item.note } : {}, said_at: corrected(item.made_at, skew) };
    const files = [["photo_before", item.photos[0], "before.jpg"], ["photo_after", item.after, "after.jpg"]];
    const done = await tell(`/api/v1/issues/${encodeURIComponent(item.code)}/moves`, form("move", move, files), csrf);
    return done.body ? { ...done, body: { ...done.body, code: item.code } } : done;
  },
  move(item, csrf, skew) {
    const said = { move: item.move, version: item.version, fields: item.fields, client_id: item.id, said_at: corrected(item.made_at, skew) };
    const files = Object.entries(item.files).map(([name, blob]) => [name, blob, `${name}.jpg`]);
    return tell(`/api/v1/issues/${encodeURIComponent(item.code)}/moves`, files.length ? form("move", said, files) : said, csrf);
  },
  second(item, csrf) {
    const files = item.photos.map((blob, nth) => ["photos", blob, `photo-${nth + 1}.jpg`]);
    return tell(`/patch/issues/${encodeURIComponent(item.code)}/second`, form("second", { client_id: item.id }, files), csrf);
  },
};

const unsentEnd = async () => {
  const patrol = await store.kept(state.account, "patrol");
  return patrol?.ended_at && !patrol.told ? patrol : null;
};

// Where somebody walked, patrol by patrol and in order; sent twice a fix is one.
async function sendTrack(fixes, csrf, skew) {
  const patrol = await store.kept(state.account, "patrol");
  for (const id of new Set([...fixes.map((fix) => fix.patrol), ...((await unsentEnd()) ? [patrol.id] : [])])) {
    const part = fixes.filter((fix) => fix.patrol === id);
    for (let start = 0; start < Math.max(part.length, 1); start += FIXES_MOST) {
      const some = part.slice(start, start + FIXES_MOST);
      const now = await store.kept(state.account, "patrol");
      const ended = now?.id === id && now.ended_at ? corrected(now.ended_at, skew) : null;
      const answer = await tell("/patch/track", {
        patrol: id, started_at: corrected(some[0]?.started_at ?? now.started_at, skew), ended_at: ended,
        fixes: some.map((fix) => ({ at: corrected(fix.at, skew), lon: fix.lon, lat: fix.lat, accuracy_m: fix.accuracy_m })),
      }, csrf);
      if (answer.status !== 200) return;
      await store.removeAll("fixes", some.map((fix) => [fix.account, fix.at]));
      if (ended) await store.keep(state.account, "patrol", { ...now, told: true });
      say("track", answer.body);
    }
  }
}

export function start() {
  look().then(() => flush(true));
  setInterval(() => { if (state.line !== "expired") flush(); }, LOOK_MS);
  addEventListener("online", () => { line("open"); flush(true); });
  addEventListener("offline", () => line("away"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
}
