// The call-back desk by keyboard: numbers choose, letters press, arrows go through the list. In a field, they write.

const pressed = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`) || document.querySelector(`[data-press="${CSS.escape(key.toLowerCase())}"]`);
const isWriting = (target) => target.closest("textarea, select, input:not([type=radio], [type=checkbox])");

function step(by) {
  const links = [...document.querySelectorAll(".call-list a")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  links[at + by]?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) {
    if (event.key === "Enter" && event.ctrlKey) document.getElementById("answer")?.requestSubmit();
    return;
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    // inside a group of choices the arrows choose, as everywhere
    if (event.target.closest("fieldset")) return;
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
    return;
  }
  const node = pressed(event.key);
  if (!node) return;
  event.preventDefault();
  node.click();
  node.focus();
});

document.querySelector(".call-list [aria-current]")?.scrollIntoView({ block: "nearest" });
