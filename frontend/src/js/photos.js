// Photos of one line: shown at once, made smaller before they are sent. A re-drawn picture carries no place;
// the time it was taken becomes its name.
const MOST = 6;
const LONG_EDGE = 1600;
const taken = new WeakMap();

export const photosOf = (line) => taken.get(line) ?? [];

async function smaller(file) {
  const name = `${new Date(file.lastModified).toISOString().replace(/[:.]/g, "-")}.jpg`;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONG_EDGE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
    return new File([blob], name, { type: "image/jpeg" });
  } catch {
    return file; // a format this browser cannot draw: the server looks at it as it is
  }
}

export function watchPhotos(line, removeLabel) {
  const input = line.querySelector("[type=file]");
  const add = input.closest("label");
  taken.set(line, []);
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    for (const file of files) {
      const photos = photosOf(line);
      if (photos.length >= MOST) break;
      const photo = await smaller(file);
      photos.push(photo);
      add.before(thumb(line, photo, removeLabel));
    }
    add.hidden = photosOf(line).length >= MOST;
  });
}

function thumb(line, photo, removeLabel) {
  const piece = document.getElementById("photo").content.cloneNode(true).firstElementChild;
  const image = piece.querySelector("img");
  image.src = URL.createObjectURL(photo);
  image.alt = photo.name;
  const remove = piece.querySelector("button");
  remove.setAttribute("aria-label", removeLabel);
  remove.addEventListener("click", () => {
    taken.set(line, photosOf(line).filter((other) => other !== photo));
    URL.revokeObjectURL(image.src);
    const add = line.querySelector(".cf-photo-add");
    add.hidden = false;
    piece.remove();
    add.querySelector("input").focus();
  });
  return piece;
}
