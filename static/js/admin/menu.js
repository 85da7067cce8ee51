// On a telephone the menu is a line that scrolls: the section one is in stands in sight.

const here = document.querySelector(".menu [aria-current]");
const line = here?.closest("ul");
if (line) line.scrollLeft = here.offsetLeft - line.clientWidth / 2 + here.clientWidth / 2;
