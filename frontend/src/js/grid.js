// The grid of a schedule: keys, a pasted table, filling by frequency, undo, and running totals. The form works without.
const form = document.querySelector("[data-grid]");
const rows = [...form.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("[name^='c.']")]);
const undo = document.querySelector("[data-undo]");
const places = new Map(rows.flatMap((cells, y) => cells.map((cell, x) => [cell, { x, y }])));
const done = []; // steps to take back, each a list of [cell, former value]
let chosen = rows[0]?.[0];
let before = chosen?.value ?? "";

const number = (text) => Number(text.replace(/[,，\s]/g, "") || 0); // eslint-disable-line no-irregular-whitespace
const at = (x, y) => rows[y]?.[x];

function look(cell) {
  const { y } = places.get(cell);
  cell.closest("td").classList.toggle("is-changed", cell.value !== cell.previousElementSibling.value);
  const sum = rows[y].reduce((total, each) => total + number(each.value), 0);
  const shown = Number.isNaN(sum) ? "?" : sum.toLocaleString("en-US", { maximumFractionDigits: 6 });
  cell.closest("tr").querySelector("[data-total]").textContent = shown;
  packs(cell);
}

/** Which two quantities have whole packs beside what is fixed; nothing when this one has. In millionths, so exact. */
function nearest(cell) {
  const [value, fixed, pack] = [number(cell.value), number(cell.dataset.fixed ?? ""), number(cell.closest("tr").dataset.pack)].map((each) => Math.round(each * 1e6));
  const rest = pack > 0 && value > fixed ? (value - fixed) % pack : 0;
  return rest ? [value - rest, value - rest + pack].filter((each) => each > 0).map((each) => (each / 1e6).toLocaleString("en-US", { maximumFractionDigits: 6 })) : [];
}

/** The cell says at once that its packs are not whole. */
function packs(cell) {
  const near = nearest(cell).join(" / ");
  let note = cell.parentElement.querySelector(".cf-grid-near");
  if (!note && near) {
    note = Object.assign(document.createElement("small"), { className: "cf-grid-near", id: `n.${cell.name.slice(2)}` });
    note.append(Object.assign(document.createElement("span"), { className: "cf-vh", textContent: form.dataset.near }), "");
    cell.parentElement.append(note);
  }
  if (note) { note.lastChild.textContent = near; note.hidden = !near; }
  if (near) cell.setAttribute("aria-describedby", note.id); else cell.removeAttribute("aria-describedby");
}

function remember(step) {
  const changed = step.filter(([cell, former]) => cell.value !== former);
  if (changed.length) done.push(changed);
  undo.disabled = !done.length;
}

/** Write many cells as one step. */
function write(pairs) {
  leave();
  const step = pairs.map(([cell]) => [cell, cell.value]);
  for (const [cell, value] of pairs) { cell.value = value; look(cell); }
  remember(step);
  before = chosen?.value ?? "";
}

function takeBack() {
  leave();
  const step = done.pop();
  if (!step) return;
  for (const [cell, former] of step) { cell.value = former; look(cell); }
  undo.disabled = !done.length;
  chosen = step[0][0];
  before = chosen.value;
  chosen.focus();
}

/** What was typed into the chosen cell is one step. */
function leave() {
  if (chosen && chosen.value !== before) { remember([[chosen, before]]); before = chosen.value; }
}

const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], Enter: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

form.addEventListener("focusin", ({ target }) => {
  if (!places.has(target)) return;
  leave();
  chosen = target;
  before = target.value;
  target.select();
});
form.addEventListener("input", ({ target }) => { if (places.has(target)) look(target); });
form.addEventListener("focusout", leave);
form.addEventListener("keydown", (event) => {
  const cell = event.target;
  if (!places.has(cell)) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    event.preventDefault();
    takeBack();
    return;
  }
  if (!steps[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
  const inside = (event.key === "ArrowLeft" && cell.selectionStart > 0) || (event.key === "ArrowRight" && cell.selectionEnd < cell.value.length);
  if (inside && !all) return; // in a number the arrow moves the caret
  event.preventDefault();
  const [dx, dy] = event.shiftKey && event.key === "Enter" ? [0, -1] : steps[event.key];
  const { x, y } = places.get(cell);
  at(x + dx, y + dy)?.focus();
});
form.addEventListener("paste", (event) => {
  const text = event.clipboardData.getData("text/plain");
  if (!places.has(event.target) || !/[\t\n]/.test(text.trim())) return; // one value is pasted as usual
  event.preventDefault();
  const { x, y } = places.get(event.target);
  const table = text.replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"));
  write(table.flatMap((line, dy) => line.map((value, dx) => [at(x + dx, y + dy), value.trim()])).filter(([cell]) => cell));
});
undo.addEventListener("click", takeBack);
document.querySelector("[data-fill]").addEventListener("click", () => {
  const quantity = document.getElementById("fill-quantity").value.trim();
  const step = Math.max(1, Math.trunc(number(document.getElementById("fill-step").value)) || 1);
  if (!chosen || !quantity) return;
  const { x, y } = places.get(chosen);
  write(rows[y].filter((_, n) => n >= x && (n - x) % step === 0).map((cell) => [cell, quantity]));
  chosen.focus();
});
for (const cell of places.keys()) look(cell);
