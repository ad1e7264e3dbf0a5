// Receipts that still have to be sent. Kept in IndexedDB with their photos; sent when the page opens, the network
// returns or the page is looked at again, because background sync does not exist in Safari and Firefox.
import { createStore, del, entries, set } from "idb-keyval";

const store = createStore("calloff", "queue");
const who = () => document.body.dataset.who;
const LATER = new Set([401, 403, 408, 425, 429]); // not this entry's fault: signed out, an old token, too fast

/** Kept entries of the person signed in, oldest first. Another person's entries wait for that person. */
export async function kept() {
  const all = (await entries(store)).map(([, entry]) => entry).filter((entry) => entry.who === who());
  all.sort((a, b) => a.savedAt - b.savedAt);
  localStorage[all.length ? "setItem" : "removeItem"]("calloff-waiting", String(all.length));
  return all;
}

/** Keep one receipt: {action, page, number, fields: [[name, value or File]]}. Returns it with its id. */
export async function keep(entry) {
  const whole = { ...entry, id: crypto.randomUUID(), who: who(), savedAt: Date.now(), refused: "" };
  await set(whole.id, whole, store);
  localStorage.setItem("calloff-waiting", "1");
  navigator.storage?.persist?.();
  return whole;
}

export const discard = (id) => del(id, store);

/** Send everything that waits, one after the other; two open pages do not send the same receipt at once. */
export async function send() {
  if (!navigator.locks) return sendAll();
  return navigator.locks.request("calloff-queue", sendAll);
}

async function sendAll() {
  const sent = [];
  for (const entry of await kept()) {
    if (entry.refused) continue;
    const answer = await deliver(entry);
    if (answer.done) {
      await del(entry.id, store);
      sent.push({ ...entry, location: answer.location });
    } else if (answer.refused) {
      await set(entry.id, { ...entry, refused: answer.refused }, store);
    } else break; // no network or no session: the others would fare the same
  }
  await kept();
  return sent;
}

async function deliver(entry, token = tokenIn(document), again = true) {
  const body = new FormData();
  for (const [name, value] of [...token, ...entry.fields]) body.append(name, value);
  let response;
  try {
    response = await fetch(entry.action, { method: "POST", body, headers: { "Idempotency-Key": entry.id } });
  } catch {
    return {}; // no network
  }
  const signIn = new URL(response.url).pathname.startsWith("/sign-in");
  if (response.ok && !signIn) return { done: true, location: response.url };
  if (response.status === 403 && again) {
    // A page opened from the worker's copy carries an old token: fetch a fresh one and try once more.
    const page = await fetch(entry.page, { cache: "no-store" }).catch(() => null);
    if (page?.ok) return deliver(entry, tokenIn(new DOMParser().parseFromString(await page.text(), "text/html")), false);
  }
  if (signIn || response.status >= 500 || LATER.has(response.status)) return {};
  return { refused: await reason(response) };
}

function tokenIn(page) {
  const fields = page.getElementById("cf-csrf")?.content.querySelectorAll("input") ?? [];
  return [...fields].map((input) => [input.name, input.value]);
}

async function reason(response) {
  const text = await response.text();
  if (response.headers.get("content-type")?.includes("json")) {
    const problem = JSON.parse(text);
    return problem.detail || problem.title || String(response.status);
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  const said = page.querySelector("[role=alert], [data-error]:not([hidden]) span, h1 + p");
  return said?.textContent.trim() || String(response.status);
}

/** Send now and whenever there is a new chance; tell `told` what was sent. */
export function keepSending(told) {
  const attempt = async () => told(await send());
  addEventListener("online", attempt);
  document.addEventListener("visibilitychange", () => document.hidden || attempt());
  return attempt();
}
