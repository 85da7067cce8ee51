// A picture of what the map shows, with title, legend, scale and date: to keep as PNG or to print. Put together here: the canvases
// of the tiles, the lines laid over them, the pins and their numbers, each where it is on the screen.

import { button, byId, el, fill } from "./dom.js";
import { boot, fullTime, nameOf, t } from "./words.js";
import { state } from "./state.js";
import { map } from "./map.js";

const PAD = 24;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const font = (px, weight = 400) => `${weight} ${px}px system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif`;

export async function open(box) {
  const title = el("input", { id: "picture-name", type: "text", maxlength: 80, value: usual() });
  const sharp = el("input", { id: "picture-sharp", type: "checkbox", checked: true });
  const shown = el("div", { class: "picture-shown" });
  const said = el("p", { class: "wrong", role: "alert" });
  let url = "";
  const draw = async () => {
    said.textContent = "";
    try {
      const canvas = await compose(title.value.trim() || usual(), sharp.checked ? 2 : 1);
      const file = await new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
      URL.revokeObjectURL(url);
      url = URL.createObjectURL(file);
      fill(shown, el("img", { id: "picture-made", src: url, alt: t("picture.alt"), width: canvas.width, height: canvas.height }));
      await shown.firstChild.decode();
      return url;
    } catch (error) {
      said.textContent = t("picture.failed", { reason: error.message });
      return "";
    }
  };
  const save = async () => { if (await draw()) el("a", { href: url, download: `${title.value.trim() || "map"}.png` }).click(); };
  const print = async () => {
    if (!await draw()) return;
    fill(byId("to-print"), shown.firstChild.cloneNode());
    await byId("to-print").firstChild.decode();
    window.print();
  };
  fill(box, el("label", { for: "picture-name" }, t("picture.name"), title), el("label", { class: "check" }, sharp, t("picture.sharp")),
    el("div", { class: "moves" }, button(t("picture.save"), save, { class: "main", id: "picture-save" }), button(t("picture.print"), print, { id: "picture-print" })), said, shown);
  await draw();
  return () => { URL.revokeObjectURL(url); fill(byId("to-print")); };
}

const usual = () => [document.querySelector(".brand .city")?.textContent, nameOf(boot.nets.find((net) => net.code === state.net))].filter(Boolean).join(" · ");

async function compose(title, dots) {
  const { x: width, y: height } = map.getSize();
  const about = legend(width);
  const [head, foot] = [64, about.height + 76];
  const canvas = el("canvas", { width: (width + 2 * PAD) * dots, height: (height + head + foot + PAD) * dots });
  const pen = canvas.getContext("2d");
  pen.scale(dots, dots);
  pen.fillStyle = css("--card");
  pen.fillRect(0, 0, width + 2 * PAD, height + head + foot + PAD);
  text(pen, title, PAD, 40, font(22, 700));
  text(pen, t("picture.made", { at: fullTime(state.past || Date.now()) }), width + PAD, 40, font(13), "right");
  pen.save();
  pen.translate(PAD, head);
  pen.beginPath();
  pen.rect(0, 0, width, height);
  pen.clip();
  pen.fillStyle = window.Shaotu.palette().land;
  pen.fillRect(0, 0, width, height);
  await view(pen);
  pen.restore();
  pen.strokeStyle = css("--line-strong");
  pen.strokeRect(PAD, head, width, height);
  scale(pen, PAD, head + height + 30);
  text(pen, edition(), width + PAD, head + height + 30, font(12), "right");
  for (const each of about.items) await item(pen, each, PAD + each.x, head + height + 56 + each.y);
  return canvas;
}

function text(pen, words, x, y, how, align = "left") {
  pen.font = how;
  pen.textAlign = align;
  pen.fillStyle = css("--ink");
  pen.fillText(words, x, y);
}

const edition = () => { const net = boot.nets.find((each) => each.code === state.net); return net ? t("legend.edition", { net: nameOf(net), edition: net.edition, day: net.valid_from }) : ""; };

// A round length that is about a fifth of the view, at the latitude of its middle.
function scale(pen, x, y) {
  const middle = map.getSize().y / 2;
  const per = map.distance(map.containerPointToLatLng([0, middle]), map.containerPointToLatLng([100, middle])) / 100;
  const most = per * 180;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((each) => each * power).find((each) => each <= most);
  const long = metres / per;
  pen.fillStyle = css("--ink");
  for (const [left, top, wide, high] of [[x, y, long, 2], [x, y - 6, 2, 8], [x + long - 2, y - 6, 2, 8]]) pen.fillRect(left, top, wide, high);
  text(pen, metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, x + long + 8, y + 2, font(12));
}

// Pane by pane, lowest first; within one in the order of the page.
async function view(pen) {
  const frame = map.getContainer().getBoundingClientRect();
  const panes = [...map.getPane("mapPane").children].filter((pane) => getComputedStyle(pane).visibility !== "hidden");
  panes.sort((a, b) => (Number(getComputedStyle(a).zIndex) || 0) - (Number(getComputedStyle(b).zIndex) || 0));
  for (const pane of panes) {
    for (const node of pane.querySelectorAll("canvas, img, svg, .cluster, .side-pin span, .alike-pin span, .hotspot-pin span, .grade, .here, .leaflet-tooltip.area-name")) {
      const box = node.getBoundingClientRect();
      const seen = box.width && box.right > frame.left && box.left < frame.right && box.bottom > frame.top && box.top < frame.bottom;
      if (!seen || getComputedStyle(node).visibility === "hidden") continue;
      await put(pen, node, { x: box.left - frame.left, y: box.top - frame.top, width: box.width, height: box.height });
    }
  }
}

async function put(pen, node, { x, y, width, height }) {
  pen.globalAlpha = opacity(node);
  if (node instanceof HTMLCanvasElement) { if (node.width && node.height) pen.drawImage(node, x, y, width, height); }
  else if (node instanceof HTMLImageElement) pen.drawImage(node, x, y, width, height);
  else if (node instanceof SVGSVGElement) pen.drawImage(await asImage(node, width, height), x, y, width, height);
  else label(pen, node, { x, y, width, height });
  pen.globalAlpha = 1;
}

// Tiles fade in by the opacity of what holds them.
function opacity(node) {
  let product = 1;
  for (let each = node; each && each !== map.getContainer(); each = each.parentElement) product *= Number(getComputedStyle(each).opacity);
  return product;
}

const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "font-size", "font-weight", "font-family", "text-anchor"];

// A drawing apart from the page has no style sheet: what the sheet says is written into it.
async function asImage(svg, width, height) {
  const copy = svg.cloneNode(true);
  const nodes = [...svg.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((each, nth) => {
    const style = getComputedStyle(nodes[nth]);
    for (const name of DRAWN) each.style.setProperty(name, style.getPropertyValue(name));
  });
  copy.removeAttribute("style");
  for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height })) copy.setAttribute(name, value);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}

// A box with words: a cluster's number, the name of a side.
function label(pen, node, { x, y, width, height }) {
  const style = getComputedStyle(node);
  const round = style.borderTopLeftRadius.endsWith("%") ? Math.min(width, height) / 2 : Math.min(parseFloat(style.borderTopLeftRadius) || 0, height / 2);
  pen.beginPath();
  pen.roundRect(x, y, width, height, round);
  pen.fillStyle = style.backgroundColor;
  pen.fill();
  const edge = parseFloat(style.borderTopWidth) || 0;
  if (edge) {
    pen.lineWidth = edge;
    pen.strokeStyle = style.borderTopColor;
    pen.stroke();
    pen.lineWidth = 1;
  }
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(node.textContent.trim(), x + width / 2, y + height / 2);
  pen.textBaseline = "alphabetic";
}

// The legend as it stands on the page, in columns.
function legend(width) {
  const fold = byId("legend");
  const was = fold.open;
  // a fold that is shut has no sizes to read
  fold.open = true;
  const items = [...byId("legend-body").querySelectorAll("li")].map((li) => ({ sign: li.querySelector("svg, .swatch, .stroke, .sign, .grade"), words: li.textContent.trim().replace(/\s+/g, " ") }));
  const wide = 190;
  const columns = Math.max(1, Math.floor(width / wide));
  const rows = Math.ceil(items.length / columns);
  items.forEach((each, nth) => { Object.assign(each, { x: Math.floor(nth / rows) * wide, y: (nth % rows) * 24 }); each.look = each.sign && lookOf(each.sign); });
  fold.open = was;
  return { items, height: rows * 24 };
}

function lookOf(sign) {
  if (sign instanceof SVGSVGElement) return { svg: sign };
  const style = getComputedStyle(sign);
  if (sign.classList.contains("stroke")) return { line: style.borderTopColor, weight: parseFloat(style.borderTopWidth) };
  return { box: style.backgroundColor, words: sign.textContent, ink: style.color };
}

async function item(pen, { look, words, sign }, x, y) {
  const start = look?.words ? words.slice(look.words.length).trim() : words;
  if (look?.svg) pen.drawImage(await asImage(sign, 18, 18), x, y - 14, 18, 18);
  else if (look?.line) { pen.fillStyle = look.line; pen.fillRect(x, y - 6, 20, Math.max(1, look.weight)); }
  else if (look?.box) {
    pen.fillStyle = look.box;
    pen.fillRect(x, y - 12, 20, 14);
    pen.fillStyle = look.ink;
    pen.font = font(10, 700);
    pen.textAlign = "center";
    pen.fillText(look.words, x + 10, y - 1);
  }
  pen.save();
  pen.beginPath();
  pen.rect(x, y - 18, 184, 24);
  pen.clip();
  text(pen, start, x + (look ? 26 : 0), y, font(12));
  pen.restore();
}
