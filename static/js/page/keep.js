// What is typed in a form stays in this tab until the server has taken it: an expired session, a refusal or a broken
// line loses nothing. Passwords and files are not kept, and a confirmation is given anew. Signing out ends it, and so
// does another account that signs in here.

const PREFIX = "typed:";
const place = PREFIX + document.body.dataset.who;
const FORMS = 'form[method="post"]';
const UNKEPT = "[type=password], [type=file], [type=hidden], [type=checkbox][required]";

// What is kept: form -> { number, fields: name -> value }. A browser that keeps nothing leaves all as it would be without.
function read() {
  try { return JSON.parse(sessionStorage.getItem(place)) || {}; } catch { return {}; }
}

function write(drafts) {
  try {
    if (Object.keys(drafts).length) sessionStorage.setItem(place, JSON.stringify(drafts));
    else sessionStorage.removeItem(place);
  } catch { /* full, or not allowed */ }
}

function dropOthers() {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX) && key !== place) sessionStorage.removeItem(key);
  } catch { /* not allowed: then there is none */ }
}

// A form is known by where it goes and by what it is about, which its hidden fields say: lists have forms that are
// alike. What merely counts its changes is marked as moving.
function keyOf(form) {
  const about = [...form.querySelectorAll("input[type=hidden]:not([name=csrf_token], [data-moves])")];
  return [form.getAttribute("action"), ...about.map((field) => `${field.name}=${field.value}`)].join(" ");
}

const isTicked = (field) => field.type === "checkbox" || field.type === "radio";
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.matches("input, select, textarea") && !field.matches(UNKEPT));
const nameOf = (field) => (isTicked(field) ? `${field.name}=${field.value}` : field.name);
const valueOf = (field) => (isTicked(field) ? field.checked : field.value);

function givenOf(field) {
  if (isTicked(field)) return field.defaultChecked;
  if (field.tagName !== "SELECT") return field.defaultValue;
  return ([...field.options].find((option) => option.defaultSelected) || field.options[0])?.value;
}

function keep(form) {
  const drafts = read(), key = keyOf(form);
  const draft = drafts[key] ||= { number: Date.now().toString(36) + Math.random().toString(36).slice(2), fields: {} };
  for (const field of fieldsOf(form)) {
    // once kept it stays so: a form that was refused comes with these words as its own
    if (nameOf(field) in draft.fields || valueOf(field) !== givenOf(field)) draft.fields[nameOf(field)] = valueOf(field);
  }
  write(drafts);
}

function drop(key) {
  const { [key]: _, ...others } = read();
  write(others);
}

function dropTaken() {
  for (const [key, { number }] of Object.entries(read())) {
    if (!document.cookie.includes(`taken-${number}=`)) continue;
    document.cookie = `taken-${number}=; path=/; max-age=0; samesite=lax`;
    drop(key);
  }
}

// Returns whether the field was another one: what the server wrote there again need not be told.
function put(field, value) {
  if (value === undefined || value === valueOf(field)) return false;
  if (isTicked(field)) field.checked = value;
  else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value)) field.value = value;
  return valueOf(field) === value;
}

function putBack(form) {
  const fields = read()[keyOf(form)]?.fields;
  if (!fields || !fieldsOf(form).map((field) => put(field, fields[nameOf(field)])).includes(true)) return;
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  tell(form);
}

function tell(form) {
  const line = document.getElementById("kept").content.firstElementChild.cloneNode(true);
  line.querySelector("button").addEventListener("click", () => {
    drop(keyOf(form));
    form.reset();
    line.remove();
    fieldsOf(form)[0].focus();
  });
  form.prepend(line);
  // where the page says why it was refused, that comes first
  if (!document.querySelector(".refusal")) line.scrollIntoView({ block: "nearest" });
}

dropOthers();
dropTaken();
document.querySelectorAll(FORMS).forEach(putBack);
document.addEventListener("input", ({ target }) => { if (target.form?.matches(FORMS)) keep(target.form); });
document.addEventListener("formdata", ({ target, formData }) => {
  const draft = read()[keyOf(target)];
  if (draft) formData.set("kept", draft.number);
});
document.addEventListener("submit", ({ target }) => { if (target.closest(".account")) write({}); });
