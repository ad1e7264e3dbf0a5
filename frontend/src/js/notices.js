// Two ways to tell: a live region that is only read aloud, and a toast that is also seen for six seconds.
export function announce(text) {
  const region = document.getElementById("cf-live");
  if (!region || !text) return;
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50); // an empty moment, so that the same sentence is read again
}

export function toast(text) {
  const place = document.getElementById("cf-toasts");
  if (!place || !text) return;
  const note = document.createElement("p");
  note.className = "cf-toast";
  note.textContent = text;
  place.append(note);
  announce(text);
  setTimeout(() => note.remove(), 6000);
}
