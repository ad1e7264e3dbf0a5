// Service worker: the shell of the pages and the receipt pages that were opened, for a dock without network.
// Everything else always comes from the server; lists and boards are never kept, so nothing is left after signing out.
/* global VERSION, SHELL, STATIC */
const ASSETS = `calloff-assets-${VERSION}`;
const PAGES = "calloff-pages";
const MOST_PAGES = 12;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(ASSETS).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("calloff-assets-") && name !== ASSETS) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

// A receipt page asks to be kept. It is fetched again, so that what is kept is what the server says.
self.addEventListener("message", (event) => {
  const address = event.data?.keep;
  if (address && new URL(address).origin === location.origin) event.waitUntil(keep(address));
});

async function keep(address) {
  const response = await fetch(address, { credentials: "same-origin" });
  if (!usable(response, address)) return;
  const cache = await caches.open(PAGES);
  await cache.delete(address);
  await cache.put(address, response);
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MOST_PAGES)).map((old) => cache.delete(old)));
}

const usable = (response, address) =>
  response.ok && !response.redirected && new URL(response.url).pathname === new URL(address).pathname;

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === "/sign-out") {
    event.waitUntil(caches.delete(PAGES));
    return;
  }
  if (request.method !== "GET") return;
  if (url.pathname.startsWith(STATIC)) event.respondWith(asset(request));
  else if (request.mode === "navigate") event.respondWith(page(request));
});

/** Built files carry a hash in their name: what is kept never grows old. */
async function asset(request) {
  const held = await caches.match(request);
  if (held) return held;
  const response = await fetch(request);
  if (response.ok) (await caches.open(ASSETS)).put(request, response.clone());
  return response;
}

/** The network first; a kept receipt page only when there is none. A redirect to the sign-in ends all keeping. */
async function page(request) {
  try {
    const response = await fetch(request);
    if (new URL(response.url || request.url).pathname.startsWith("/sign-in")) await caches.delete(PAGES);
    return response;
  } catch (refused) {
    const cache = await caches.open(PAGES);
    const held = await cache.match(request, { ignoreVary: true });
    if (held) return held;
    throw refused;
  }
}
