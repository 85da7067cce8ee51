// The card of a registered point: what it is, and the three organisations that answer for it.

import { el } from "./dom.js";
import { ask } from "./doors.js";
import { categoryName, nameOf, t } from "./words.js";
import { say, state } from "./state.js";
import { choose } from "./map.js";
import { frame } from "./issue.js";
import { fact } from "./unit.js";

export async function open(id) {
  const each = await ask(`/map/points/${id}`);
  state.issue = state.unit = "";
  say("opened");
  choose({ point: [each.lon, each.lat], keepView: true });
  frame(nameOf(each), categoryName(each.kind),
    el("dl", { class: "facts" }, [["code", each.external_id], ["kind", each.kind], ["state", each.state], ["authority", each.authority], ["owner", each.owner], ["maintainer", each.maintainer]]
      .filter(([, value]) => value).map(([name, value]) => fact(t(`points.${name}`), value))));
}
