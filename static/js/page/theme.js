// The theme's button on pages without a map; the choice is the one the map keeps.

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window: it holds until the page is left */ }
  document.dispatchEvent(new Event("theme"));
});
