// Photos are made smaller before they go up a slow line; what cannot be read here goes as it is, and the server decides.

const SIDE_PX = 1600;
const input = document.getElementById("photos");

async function smaller(file) {
  const drawn = await createImageBitmap(file);
  const scale = Math.min(1, SIDE_PX / Math.max(drawn.width, drawn.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(drawn.width * scale);
  canvas.height = Math.round(drawn.height * scale);
  canvas.getContext("2d").drawImage(drawn, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.82); });
  return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
}

input.addEventListener("change", async () => {
  const kept = new DataTransfer();
  for (const file of input.files) kept.items.add(await smaller(file).catch(() => file));
  input.files = kept.files;
});
