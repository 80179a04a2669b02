// SPDX-License-Identifier: Apache-2.0
// What every page of the appliance shares: requests, logging in, small tables.

import { element } from "/static/ladder.js";

export async function ask(path, method = "GET", body = undefined) {
  const options = { method, headers: body === undefined ? {} : { "Content-Type": "application/json" } };
  if (body !== undefined) options.body = JSON.stringify(body);
  const answer = await fetch(`/api/v1${path}`, options);
  const found = (answer.headers.get("Content-Type") || "").includes("json") ? await answer.json() : await answer.text();
  if (!answer.ok) throw Object.assign(new Error([found.detail, found.remedy].filter(Boolean).join(" ")), { status: answer.status });
  return found;
}

// Who is here; where nobody is, a form asks for the code. A link of the appliance brings it along (?token=, ?code=).
export async function enter(main) {
  const link = new URLSearchParams(location.search);
  const given = link.get("token");
  if (given || link.has("code")) history.replaceState(null, "", location.pathname);
  if (given) await ask("/login", "POST", { token: given }).catch(() => null);
  const who = await ask("/me");
  if (who.role !== "anybody") return who;
  const form = document.querySelector("#login");
  main.hidden = true;
  form.hidden = false;
  if (link.get("code")) form.elements.token.value = link.get("code");
  return new Promise((resolve) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector(".problem");
    try {
      const come = await ask("/login", "POST", { token: form.elements.token.value.trim(), nickname: form.elements.nickname.value });
      form.hidden = true;
      main.hidden = false;
      resolve(come);
    } catch (error) {
      said.textContent = error.message;
    }
  }));
}

export function greet(who) {
  const place = document.querySelector(".me");
  const out = element("button", { type: "button" }, "leave");
  out.addEventListener("click", async () => {
    await ask("/logout", "POST");
    location.reload();
  });
  place.replaceChildren(who.nickname || who.role, " ", out);
}

export function table(heads, rows, empty) {
  if (!rows.length) return element("p", {}, empty);
  const line = (kind, cells) => element("tr", {}, ...cells.map((cell) => element(kind, {}, cell ?? "")));
  return element("table", {}, line("th", heads), ...rows.map((cells) => line("td", cells)));
}
