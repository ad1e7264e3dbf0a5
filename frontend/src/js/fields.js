// Small helps in forms, each an improvement of something that works without it.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[commandfor]");
  if (!button || "commandForElement" in HTMLButtonElement.prototype) return; // newer browsers do this themselves
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  if (button.getAttribute("command") === "show-modal") dialog?.showModal();
  if (button.getAttribute("command") === "close") dialog?.close();
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
