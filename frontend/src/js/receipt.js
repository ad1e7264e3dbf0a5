// The receipt page: steps of one box, differences, smaller photos, and sending later without network.
import { announce, toast } from "./notices.js";
import { kept, keep, discard, keepSending, send } from "./queue.js";
import { busy } from "./saving.js";
import { photosOf, watchPhotos } from "./photos.js";

const form = document.querySelector("[data-receipt]");
const words = form.dataset;
const lines = [...form.querySelectorAll("[data-count]")];
const confirm = form.querySelector("[data-confirm]");
const verb = form.querySelector("[data-verb]");
const press = verb.textContent;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
const field = (line) => line.querySelector("[name^='received.']");
const places = (text) => (text.split(".")[1] ?? "").length;
const shown = (value, fine) => value.toLocaleString("en-US", { maximumFractionDigits: fine }).replace("-", "−");

/** The number in a field, or NaN. A comma separates thousands, as the pages write it. */
function count(line) {
  const text = field(line).value.trim().replace(/[,，\s]/g, ""); // eslint-disable-line no-irregular-whitespace
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
}

function look(line) {
  const announced = Number(line.dataset.count);
  const fine = Math.max(places(line.dataset.count), places(field(line).value));
  const received = count(line);
  const gap = Number((received - announced).toFixed(6));
  const unit = Math.abs(gap) === 1 ? line.dataset.one : line.dataset.unit;
  line.classList.toggle("differs", gap !== 0);
  const n = shown(Math.abs(gap), fine);
  const pill = line.querySelector("[data-difference]");
  pill.textContent = !gap && gap === 0 ? words.textSame : Number.isNaN(gap) ? "?" : fill(gap < 0 ? words.textShort : words.textOver, { n, unit });
  if (gap) line.querySelector("[data-question]").textContent = fill(gap < 0 ? words.textQuestion : words.textQuestionOver, { n, unit });
}

function sum() {
  const parts = lines.map((line) => fill(words.textSum, {
    received: Number.isNaN(count(line)) ? "?" : shown(count(line), 6), announced: shown(Number(line.dataset.count), 6), unit: line.dataset.unit,
  }));
  const list = parts.slice(0, 3).join(words.textAnd) + (parts.length > 3 ? " …" : "");
  form.querySelector("[data-sum]").textContent = fill(words.textAll, { list, unit: lines[0]?.dataset.unit ?? "" });
}

function wrong(line, text) {
  const place = line.querySelector("[data-error]");
  place.hidden = !text;
  place.querySelector("span").textContent = text;
  field(line).toggleAttribute("aria-invalid", Boolean(text));
  if (text) field(line).setAttribute("aria-invalid", "true");
}

/** False and the first wrong line in focus, unless every count is a number and every difference has a reason. */
function complete() {
  let first = null;
  for (const line of lines) {
    const differs = line.classList.contains("differs");
    const text = Number.isNaN(count(line)) ? words.textWhole
      : differs && !line.querySelector("[name^='reason.']:checked") ? words.textChoose : "";
    wrong(line, text);
    if (text && !first) first = line;
  }
  if (first) {
    const goal = Number.isNaN(count(first)) ? field(first) : first.querySelector("[name^='reason.']");
    goal.focus();
    announce(first.querySelector("[data-error] span").textContent);
  }
  return !first;
}

function fields() {
  const all = [["version", form.elements.version.value]];
  for (const line of lines) {
    all.push([field(line).name, String(count(line))]);
    if (!line.classList.contains("differs")) continue;
    const chosen = line.querySelector("[name^='reason.']:checked");
    const note = line.querySelector("[name^='note.']");
    all.push([chosen.name, chosen.value], [note.name, note.value]);
    for (const photo of photosOf(line)) all.push([line.querySelector("[type=file]").name, photo]);
  }
  return all;
}

/** The band over the page: how many receipts wait, which were refused and why, how to correct them. */
async function tell() {
  const all = await kept();
  const refused = all.filter((entry) => entry.refused);
  const waiting = all.length - refused.length;
  const band = form.querySelector("[data-offline]");
  band.hidden = !all.length && navigator.onLine;
  form.querySelector("[data-offline-count]").textContent = !waiting ? ""
    : waiting === 1 ? words.textWaitingOne : fill(words.textWaiting, { n: waiting });
  form.querySelector("[data-offline-text]").textContent = !navigator.onLine ? words.textOffline : waiting ? words.textUnsent : "";
  form.querySelector("[data-refused]").replaceChildren(...refused.map(refusal));
  const here = all.find((entry) => entry.action === form.getAttribute("action") && !entry.refused);
  verb.textContent = here ? words.textKept : navigator.onLine ? press : words.textKeep;
  confirm.toggleAttribute("data-later", !navigator.onLine);
  confirm.disabled = Boolean(here);
}

function refusal(entry) {
  const item = document.createElement("li");
  const open = Object.assign(document.createElement("a"), { href: entry.page, textContent: words.textOpen });
  const drop = Object.assign(document.createElement("button"), { type: "button", className: "cf-link", textContent: words.textDrop });
  drop.addEventListener("click", () => discard(entry.id).then(tell));
  item.append(`${entry.number}: ${fill(words.textRefused, { reason: entry.refused })} `, open, " · ", drop);
  return item;
}

async function sendThis() {
  busy(confirm);
  const entry = await keep({
    action: form.getAttribute("action"), page: location.pathname + location.search, number: words.number, fields: fields(),
  });
  sessionStorage.removeItem(draftKey);
  const sent = await send();
  const mine = sent.find((other) => other.id === entry.id);
  if (mine) return location.assign(mine.location);
  busy(confirm, false);
  await tell();
  const still = (await kept()).find((other) => other.id === entry.id);
  if (still?.refused) {
    // The typed counts are still on the page: take the refused copy back and say why right here.
    await discard(entry.id);
    await tell();
    const wrongLine = lines[0];
    wrong(wrongLine, still.refused);
    wrongLine.scrollIntoView({ block: "center" });
    announce(still.refused);
  } else {
    announce(`${words.textKept}. ${navigator.onLine ? words.textUnsent : words.textOffline}`);
  }
}

// What was typed survives a reload; photos come back only once they were kept with the receipt.
const draftKey = `calloff-draft ${form.getAttribute("action")} ${form.elements.version.value}`;
const typed = () => [...form.elements].filter((input) =>
  /^(received|note)\./.test(input.name) || (/^reason\./.test(input.name) && input.checked));

function saveDraft() {
  sessionStorage.setItem(draftKey, JSON.stringify(typed().map((input) => [input.name, input.value])));
}

function restoreDraft() {
  for (const [name, value] of JSON.parse(sessionStorage.getItem(draftKey) ?? "[]")) {
    const input = form.elements[name];
    if (input) input.value = value; // a group of radio buttons takes its value the same way
  }
}

restoreDraft();
form.addEventListener("input", saveDraft);

for (const line of lines) {
  const step = Number(line.dataset.step) || 1;
  const move = (by) => {
    const now = count(line);
    const next = Math.max(0, (Number.isNaN(now) ? 0 : now) + by);
    field(line).value = String(Number(next.toFixed(6)));
    changed(line);
    saveDraft();
  };
  line.querySelector("[data-less]").addEventListener("click", () => move(-step));
  line.querySelector("[data-more]").addEventListener("click", () => move(step));
  field(line).addEventListener("input", () => changed(line));
  field(line).addEventListener("focus", (event) => event.target.select());
  watchPhotos(line, words.textPhoto);
  look(line);
}

function changed(line) {
  look(line);
  wrong(line, "");
  sum();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (complete()) sendThis();
});
form.noValidate = true; // `complete` says it in the reader's language and beside the field
addEventListener("online", tell);
addEventListener("offline", tell);
sum();
keepSending(async (sent) => {
  await tell();
  const here = sent.find((entry) => entry.action === form.getAttribute("action"));
  if (here) location.assign(here.location);
  else if (sent.length) toast(document.body.dataset.textSent);
});
navigator.serviceWorker?.ready.then((worker) => worker.active.postMessage({ keep: location.href }));
