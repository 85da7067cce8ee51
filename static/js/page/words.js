// Words, names, numbers and times in the reader's language and the city's time zone.

export const boot = JSON.parse(document.getElementById("boot").textContent);
const english = boot.locale === "en";
const tag = english ? "en-GB" : "zh-CN";

export function t(code, params = {}) {
  const sentence = boot.words[`page.${code}`];
  return sentence === undefined ? code : sentence.replace(/%\((\w+)\)s/g, (_, name) => params[name] ?? `{${name}}`).replaceAll("%%", "%");
}

export const has = (code) => `page.${code}` in boot.words;

// Things carry name and name_en, or name_zh and name_en.
export function nameOf(thing) {
  if (!thing) return "";
  const chinese = thing.name ?? thing.name_zh ?? "";
  return (english ? thing.name_en || chinese : chinese || thing.name_en) || thing.code || thing.key || "";
}

const numbers = new Intl.NumberFormat(tag, { maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(tag, { style: "percent", maximumFractionDigits: 1 });
const moments = new Intl.DateTimeFormat(tag, { timeZone: boot.time_zone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false });
const full = new Intl.DateTimeFormat(tag, { timeZone: boot.time_zone, dateStyle: "medium", timeStyle: "medium", hour12: false });
const clock = new Intl.DateTimeFormat(tag, { timeZone: boot.time_zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const ages = new Intl.RelativeTimeFormat(tag, { numeric: "always", style: "short" });

export const number = (value) => numbers.format(value);

// A chance is never rounded to nothing or to certainty.
export function percent(value) {
  if (value > 0 && value < 0.001) return `< ${percents.format(0.001)}`;
  if (value < 1 && value > 0.999) return `> ${percents.format(0.999)}`;
  return percents.format(value);
}

export const moment = (iso) => moments.format(new Date(iso));
// Day and hour stay in one line.
export const fullTime = (iso) => full.format(new Date(iso)).replaceAll(" ", "\u00a0");
export const clockNow = () => clock.format(new Date());

export function age(since) {
  const seconds = Math.max(0, (Date.now() - new Date(since)) / 1000);
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= size) return ages.format(-Math.floor(seconds / size), unit);
  }
  return ages.format(-Math.floor(seconds), "second");
}

export function metres(value) {
  if (value >= 1000) return `${number(value / 1000)} km`;
  return `${value < 10 ? numbers.format(value) : Math.round(value)} m`;
}

export const area = (value) => (value >= 1e6 ? `${number(value / 1e6)} km²` : `${number(Math.round(value))} m²`);

const categories = new Map(boot.categories.map((each) => [each.code, each]));
const departments = new Map(boot.departments.map((each) => [each.code, each]));
export const categoryName = (code) => nameOf(categories.get(code)) || code;
export const departmentName = (code) => nameOf(departments.get(code)) || code;

const levels = new Map(boot.nets.flatMap((net) => net.levels.map((level) => [`${net.code}:${level.code}`, level])));
const nets = new Map(boot.nets.map((net) => [net.code, net]));
export const levelName = (net, level) => nameOf(levels.get(`${net}:${level}`)) || level;
export const netName = (net) => nameOf(nets.get(net)) || net;
