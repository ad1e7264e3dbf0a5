// On every page: htmx with its event stream, saving state of buttons, toasts, focus and spoken results.
import "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-sse.js";
import { quiet } from "./follow.js";
import { announce, toast } from "./notices.js";
import "./saving.js";
import "./fields.js";

const root = document.documentElement;
let underway = 0;

document.addEventListener("htmx:before:request", (event) => {
  if (!quiet(event)) document.querySelectorAll(".cf-main > .cf-band-bad[role=alert]").forEach((old) => old.remove());
  if (!quiet(event)) root.toggleAttribute("data-loading", ++underway > 0);
});
document.addEventListener("htmx:finally:request", (event) => {
  if (!quiet(event)) root.toggleAttribute("data-loading", --underway > 0);
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !quiet(event)) toast(document.body.dataset.textOffline);
});

// A swap that removed the focused button hands the focus to what replaced it, and says the result.
document.addEventListener("htmx:after:swap", (event) => {
  const said = document.querySelector("[data-announce]");
  if (said) {
    announce(said.dataset.announce);
    if (document.activeElement === document.body) {
      said.tabIndex = -1;
      said.focus({ preventScroll: true });
    }
    said.removeAttribute("data-announce");
  }
  document.dispatchEvent(new CustomEvent("cf:swapped", { detail: event.detail }));
});

// What was said is sent; the next message begins empty.
document.addEventListener("htmx:after:request", (event) => {
  const form = event.detail.ctx.sourceElement;
  if (form.matches("form[data-clears]") && event.detail.ctx.response?.status < 300) form.reset();
});

// The server may send `HX-Trigger: {"toast": {"text": "..."}}` for things that need no answer.
document.addEventListener("toast", (event) => toast(event.detail.text));

// After signing out nothing of the company stays on this device except receipts that still have to be sent.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-sign-out]") && "caches" in window) caches.delete("calloff-pages");
});

if ("serviceWorker" in navigator && root.dataset.worker) {
  navigator.serviceWorker.register(root.dataset.worker).catch(() => {
    // Private windows and plain http refuse workers; every page works without one.
  });
}
if (localStorage.getItem("calloff-waiting") && !document.querySelector("[data-receipt]")) {
  import("./queue.js").then(({ keepSending }) =>
    keepSending((sent) => sent.length && toast(document.body.dataset.textSent)));
}
