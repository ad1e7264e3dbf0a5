// What follows the other side by itself waits while somebody answers: a refresh would take away the row that was
// added, the sentence that says why an answer was refused, or the dialog. It is made up for as soon as that is done.
const BUSY = ".cf-answers details[open], [aria-busy=true], dialog[open]";
const held = new Set();

export const quiet = (event) => event.detail.ctx.sourceElement.matches("[data-quiet]"); // nobody pressed anything

function hold(event) {
  const place = event.detail.ctx.sourceElement;
  if (!quiet(event) || !place.querySelector(BUSY)) return;
  event.preventDefault();
  held.add(place);
}

function makeUp() {
  for (const place of held) {
    if (place.isConnected && place.querySelector(BUSY)) continue;
    held.delete(place);
    const name = place.getAttribute("hx-trigger")?.split(" ")[0];
    if (place.isConnected && name) document.body.dispatchEvent(new CustomEvent(name));
  }
}

document.addEventListener("htmx:before:request", hold);
document.addEventListener("htmx:before:swap", hold);
for (const kind of ["toggle", "close"]) document.addEventListener(kind, makeUp, true);
document.addEventListener("htmx:finally:request", (event) => quiet(event) || setTimeout(makeUp));

// A refresh may take away what has the focus; then it goes to the heading of the part where it was.
let heading = null;
document.addEventListener("htmx:before:swap", (event) => {
  heading = quiet(event) ? document.activeElement.closest("[aria-labelledby]")?.getAttribute("aria-labelledby") : null;
});
document.addEventListener("htmx:after:swap", () => {
  const place = heading && document.activeElement === document.body ? document.getElementById(heading) : null;
  heading = null;
  if (!place) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
});
