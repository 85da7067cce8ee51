// Keeps the page for when there is no line: its files by their version, the ground of the patch, and the page itself.
// SHELL, the version and the files, is written above by the server: another version is another worker.
"use strict";

const FILES = `shaotu-files-${SHELL.version}`;
const PAGE = "shaotu-page";
const TILES = "shaotu-tiles";
const PAGE_MS = 4000;
const AT_ONCE = 6;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const kept = await caches.open(FILES);
  await kept.addAll(SHELL.files);
  // addresses carry the version, so nothing a page holds is taken from under it
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("shaotu-files-") && name !== FILES) await caches.delete(name);
  }
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/patch") event.respondWith(page(request));
  else if (url.pathname.startsWith("/patch/files/")) event.respondWith(file(request));
  else if (url.pathname.startsWith("/tiles/")) event.respondWith(tile(request));
});

// The line first, for as long as somebody waits; a way to the sign-in is no page to keep.
async function page(request) {
  const kept = await (await caches.open(PAGE)).match("/patch");
  const asked = fetch(request).then(async (response) => {
    if (response.ok && !response.redirected) await (await caches.open(PAGE)).put("/patch", response.clone());
    return response;
  });
  if (!kept) return asked;
  const patience = new Promise((resolve) => { setTimeout(resolve, PAGE_MS, kept); });
  return Promise.race([asked.then((response) => (response.status >= 500 ? kept : response), () => kept), patience]);
}

async function file(request) {
  return (await caches.match(request)) || fetch(request);
}

async function tile(request) {
  const tiles = await caches.open(TILES);
  const kept = await tiles.match(request);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch {
    // ground that was not kept is left blank: an error would be told for each of its tiles
    return new Response(new ArrayBuffer(0), { headers: { "Content-Type": "application/vnd.mapbox-vector-tile" } });
  }
}

self.addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keep(event.data.keep, event.source));
  if (event.data.forget) event.waitUntil(caches.delete(PAGE).then(() => event.ports[0]?.postMessage("forgotten")));
});

// The page as it is now, and the ground: what is kept already is not asked again, other versions of it are dropped.
async function keep({ tiles: wanted }, client) {
  const shell = await fetch("/patch", { headers: { Accept: "text/html" } }).catch(() => null);
  if (shell?.ok && !shell.redirected) await (await caches.open(PAGE)).put("/patch", shell);
  const tiles = await caches.open(TILES);
  const asked = new Set(wanted.map((path) => new URL(path, self.location.origin).href));
  for (const { url } of await tiles.keys()) if (!asked.has(url)) await tiles.delete(url);
  const missing = [];
  for (const url of asked) if (!(await tiles.match(url))) missing.push(url);
  let failed = 0;
  const next = async () => {
    for (let url = missing.pop(); url; url = missing.pop()) {
      const response = await fetch(url).catch(() => null);
      if (response?.ok) await tiles.put(url, response);
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  client?.postMessage({ kept: asked.size - failed, of: asked.size });
}
