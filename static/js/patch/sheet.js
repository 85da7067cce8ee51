// Sheets over the page: the telephone's own way back closes them, and the page is where it was.

export function open(dialog) {
  if (dialog.open) return;
  history.pushState({ sheet: dialog.id }, "");
  dialog.showModal();
  dialog.scrollTop = 0;
}

export function close(dialog) {
  if (!dialog.open) return;
  if (history.state?.sheet === dialog.id) history.back();
  else dialog.close();
}

export function start() {
  addEventListener("popstate", () => {
    for (const dialog of document.querySelectorAll("dialog[open]")) if (history.state?.sheet !== dialog.id) dialog.close();
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(dialog); });
  }
  // a page that is opened anew has no sheet open
  if (history.state?.sheet) history.replaceState(null, "");
}
