// Small helps in forms, each an improvement of something that works without it.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[commandfor]");
  if (!button || "commandForElement" in HTMLButtonElement.prototype) return; // newer browsers do this themselves
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  if (button.getAttribute("command") === "show-modal") dialog?.showModal();
  if (button.getAttribute("command") === "close") dialog?.close();
});

// A dialog whose form was refused comes open with the page; from here on it is modal, as when its button opened it.
for (const dialog of document.querySelectorAll("dialog[data-refused]")) {
  dialog.close();
  dialog.showModal();
}

// What is shown to be taken elsewhere. The old command serves addresses without a certificate, where no clipboard is given.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const input = document.getElementById(button.dataset.copy);
  input.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(input.value).catch(() => document.execCommand("copy"));
  else document.execCommand("copy");
  button.querySelector("span").textContent = button.dataset.copied;
  document.getElementById("cf-live").textContent = button.dataset.copied;
});

// "Add a part": one more row of a split, copied from the last one.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-add-row]");
  if (!button) return;
  const rows = button.form.querySelectorAll("[data-row]");
  const copy = rows[rows.length - 1].cloneNode(true);
  for (const input of copy.querySelectorAll("input")) {
    if (input.inputMode) input.value = "";
    input.id = `${input.id}-${rows.length + 1}`;
    input.previousElementSibling?.setAttribute("for", input.id);
  }
  rows[rows.length - 1].after(copy);
  copy.querySelector("input").focus();
});

// Drop zone: a file may also be dragged onto it.
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    if (!zone) return;
    event.preventDefault();
    zone.toggleAttribute("data-over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) {
      const input = zone.querySelector("input[type=file]");
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

// A filter whose choice is the whole question sends itself.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
});

// A browser may show a date field as 03/04: the date stands under it once more, with its weekday and month in words.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = { en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"], zh: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"] };

function inWords(value) {
  const [year, month, day] = value.split("-").map(Number);
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return document.documentElement.lang.startsWith("zh")
    ? `${year}年${month}月${day}日 ${DAYS.zh[weekday]}`
    : `${DAYS.en[weekday]}, ${day} ${MONTHS[month - 1]} ${year}`;
}

function spell(input) {
  let words = input.nextElementSibling;
  if (!words?.matches("[data-day]")) {
    words = Object.assign(document.createElement("p"), { className: "cf-hint" });
    words.dataset.day = "";
    input.after(words);
  }
  words.textContent = input.value ? inWords(input.value) : "";
}

const spellAll = () => document.querySelectorAll("input[type=date]").forEach(spell);
spellAll();
document.addEventListener("cf:swapped", spellAll);
document.addEventListener("input", (event) => event.target.matches("input[type=date]") && spell(event.target));
