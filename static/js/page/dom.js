// Elements made from words: strings become text, never HTML, so nothing a user wrote can run.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "style") for (const [key, said] of Object.entries(value)) node.style.setProperty(key, said);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return parent;
}

const PATHS = {
  back: "M14 5l-7 7 7 7",
  cross: "M6 6l12 12M18 6L6 18",
  pin: "M12 21s-6.500-6-6.500-11a6.500 6.500 0 0 1 13 0c0 5-6.500 11-6.500 11zM12 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  area: "M5 8l8-4 6 6-3 9-9 1z",
  street: "M8 21L10 3M16 21L14 3M12 6v3M12 12v3",
  building: "M5 21V4h9v17M14 9h5v12M8 8h3M8 12h3M8 16h3",
  estate: "M4 21V11l5-4 5 4v10M14 13h6v8M3 21h18",
  cell: "M4 4h16v16H4zM4 12h16M12 4v16",
  plus: "M12 5v14M5 12h14",
  layers: "M12 3.500l9 5-9 5-9-5zM3.500 12.500l8.500 4.700 8.500-4.700M3.500 16.500l8.500 4.700 8.500-4.700",
  time: "M12 3.500a8.500 8.500 0 1 0 .1 0zM12 7.500v5l3.500 2",
  measure: "M3 15.500L15.500 3 21 8.500 8.500 21zM7 11.500l2 2M10 8.500l2 2M13 5.500l2 2",
  place: "M12 3v5M12 16v5M3 12h5M16 12h5M12 9.500a2.500 2.500 0 1 0 .1 0z",
  picture: "M7 8V3.500h10V8M7 17H4V8.500h16V17h-3M7 13.500h10v7H7z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: 18, height: 18, class: "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] || PATHS.pin);
  svg.append(path);
  return svg;
}

export const button = (words, onclick, attributes = {}) => el("button", { type: "button", onclick, ...attributes }, words);
