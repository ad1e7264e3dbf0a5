// Reads the code on a delivery note: the browser's own detector where there is one, else zxing, loaded only now.
import { announce } from "./notices.js";

const place = document.querySelector("[data-scan]");
const start = document.querySelector("[data-scan-start]");
const video = place.querySelector("video");
const form = document.querySelector("main form");

async function detector() {
  if ("BarcodeDetector" in window) {
    const formats = await window.BarcodeDetector.getSupportedFormats();
    if (formats.includes("qr_code")) return new window.BarcodeDetector({ formats: ["qr_code"] });
  }
  const { detector: made } = await import("./zxing.js");
  return made();
}

start.addEventListener("click", async () => {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    announce(place.dataset.textDenied);
    form.elements.number.focus();
    return;
  }
  place.hidden = false;
  start.hidden = true;
  video.srcObject = stream;
  await video.play();
  const reader = await detector();
  while (stream.active) {
    const [code] = await reader.detect(video).catch(() => []);
    if (code?.rawValue) {
      stream.getTracks().forEach((track) => track.stop());
      return found(code.rawValue);
    }
    await new Promise((next) => setTimeout(next, 120));
  }
});

/** Our own address on the label opens directly; anything else is taken as the number of the delivery note. */
function found(text) {
  announce(place.dataset.textFound);
  const address = URL.canParse?.(text) ? new URL(text) : null;
  if (address?.origin === location.origin) return location.assign(address.pathname + address.search);
  form.elements.number.value = text;
  form.requestSubmit();
}

addEventListener("pagehide", () => video.srcObject?.getTracks().forEach((track) => track.stop()));
