// Photos, made small on the phone: at most 1,600 pixels, drawn anew, so that nothing hidden in them is sent.

import { el } from "../page/dom.js";
import { t } from "../page/words.js";

const SIDE_MOST_PX = 1600;
const QUALITY = 0.8;

export async function shrink(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, SIDE_MOST_PX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const paper = canvas.getContext("2d");
  // what is transparent becomes white, as on the server
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, canvas.width, canvas.height);
  paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
  if (!blob) throw new Error("no picture");
  return blob;
}

// A picture of what is on the phone. Its address is given back when it leaves the page.
export function thumbnail(blob, alt) {
  const url = URL.createObjectURL(blob);
  return el("img", { src: url, alt, class: "thumb", onload: () => URL.revokeObjectURL(url) });
}

// Opens the camera; hands the small picture on, or says what was wrong with it.
export function camera(id, label, taken, failed) {
  const input = el("input", { type: "file", id, accept: "image/*", capture: "environment", class: "unseen", tabindex: "-1", "aria-label": label, onchange: async () => {
    const [file] = input.files;
    if (!file) return;
    try {
      taken(await shrink(file));
    } catch {
      failed(t("patch.photo.unreadable", { name: file.name }));
    }
    input.value = "";
  } });
  return input;
}
