// The table of the evaluation: printed with its formulas, and each heading leads to its own.

const formulas = document.getElementById("formulas");

document.getElementById("print").addEventListener("click", () => { formulas.open = true; print(); });
// a heading leads to its formula, which is folded away
for (const link of document.querySelectorAll('thead a[href^="#formula-"]')) link.addEventListener("click", () => { formulas.open = true; });
