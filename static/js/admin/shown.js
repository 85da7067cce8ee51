// The base map below an edition's lines, in the theme that was chosen.

window.Shaotu.showBasemap();
document.addEventListener("theme", () => window.Shaotu.repaint());
