// A pressed button keeps its width, shows a ring before its verb and cannot be pressed again.
export function busy(button, on = true) {
  if (!button) return;
  if (on) {
    button.style.minWidth = `${button.offsetWidth}px`;
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
  } else {
    button.style.minWidth = "";
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
}

// Plain forms: wait one turn, so that the button's own name and value are still sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog" || form.matches("[data-receipt], [data-download]")) return;
  const button = event.submitter;
  if (button?.matches(".cf-button")) setTimeout(() => !event.defaultPrevented && busy(button));
});

document.addEventListener("htmx:before:request", (event) => busyIn(event, true));
document.addEventListener("htmx:finally:request", (event) => busyIn(event, false));

function busyIn(event, on) {
  const { ctx } = event.detail;
  const pressed = ctx.request?.submitter ?? (ctx.sourceElement.matches("button") ? ctx.sourceElement : null);
  if (pressed?.isConnected && pressed.matches(".cf-button")) busy(pressed, on);
}

// Coming back with the browser's button shows the page as it was left: pressed buttons are free again.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll('[aria-busy="true"]').forEach((button) => busy(button, false));
});
