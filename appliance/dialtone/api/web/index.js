// SPDX-License-Identifier: Apache-2.0
// The landing page: health in a line, how far the way from eNB to phone is, and for the teacher the class.

import { element } from "/static/ladder.js";
import { ask, enter, greet, table } from "/static/page.js";

const EVERY = 5000; // milliseconds
const main = document.querySelector("main");
const find = (name) => document.querySelector(name);
const who = await enter(main);
greet(who);
const teacher = who.role === "teacher";

function health(status, enbs, verdicts) {
  const bad = verdicts.filter((verdict) => verdict.level === "failure");
  const { name, mcc, mnc } = status.network;
  const words = `${name}, PLMN ${mcc}/${mnc}: ${enbs.length} eNB${enbs.length === 1 ? "" : "s"}, ${status.phones} phone${status.phones === 1 ? "" : "s"}`;
  const well = enbs.length > 0 && !bad.length;
  find("#health").className = `health ${well ? "good" : "bad"}`;
  find("#health").textContent = words + (bad.length ? `. ${bad.at(-1).line}` : enbs.length ? ", all well" : ". No eNB is connected.");
}

function steps(status, enbs, ues, registered) {
  const connected = ues.filter((ue) => ue.emm === "EMM-REGISTERED");
  const list = [
    ["The core runs", true, `version ${status.version}, for ${Math.round(status.uptime_s)} s`],
    ["An eNB has set up S1", enbs.length, enbs.map((enb) => `${enb.name} (TAC ${enb.tais.map((tai) => tai.tac).join(", ")})`).join("; ")],
    ["A phone is attached", connected.length, connected.map((ue) => ue.imsi).join(", ")],
    ["A phone has its bearers", connected.some((ue) => ue.bearers.length), ""],
    ["A phone is registered to IMS", registered.length, registered.map((user) => user.imsi).join(", ")],
  ];
  find("#steps").replaceChildren(table(["step", ""], list.map(([what, good, more]) =>
    [element("span", { class: good ? "good" : "bad" }, what), more])));
}

async function look() {
  try {
    const [status, enbs, ues, registered, verdicts, seen] = await Promise.all(
      ["/status", "/enbs", "/ues", "/ims/registrations", "/diagnose", "/subscribers/seen"].map((path) => ask(path)));
    health(status, enbs, verdicts);
    steps(status, enbs, ues, registered);
    find("#phones").replaceChildren(table(["IMSI", "number", "state", "eNB", "addresses"], ues.map((ue) => [
      ue.imsi || ue.label, ue.msisdn, `${ue.emm}, ${ue.ecm}`, ue.enb,
      ue.bearers.map((bearer) => bearer.ue_ip).filter((one, at, all) => one && all.indexOf(one) === at).join(", ")]),
    "None yet. Switch a phone on, or attach a simulated one."));
    find("#strangers").hidden = !seen.length;
    find("#strangers div").replaceChildren(table(["IMSI", "tries", "why not"], seen.map((one) => [one.imsi, one.count, one.reason]), ""));
  } catch (error) {
    find("#health").className = "health bad";
    find("#health").textContent = error.message;
  }
}

async function room() {
  const found = await ask("/class");
  const link = new URL("/watch", location.href);
  link.search = found.open ? `?code=${found.code}` : "";
  find("#link").href = link;
  find("#link").textContent = link.origin + link.pathname;
  find("#class .code").textContent = found.open ? found.code : "The class is closed.";
  find(".qr").innerHTML = found.open ? await ask(`/class/code.svg?link=${encodeURIComponent(link)}`) : "";
  const asked = found.questions.filter((question) => found.students.some((one) => question in one.questions));
  find(".progress").replaceChildren(table(["student", "right", ...asked], found.students.map((one) => [
    one.nickname, `${one.right} of ${found.questions.length}`,
    ...asked.map((question) => one.questions[question] ? (one.questions[question].right ? "✓" : "✗") : "")]),
  "Nobody has joined yet."));
}

const WARNINGS = {
  close: "All answers of the class will be deleted, and students are shut out. Close it?",
  reset: "Traces, texts and answers will be deleted and simulated phones switched off. SIM cards stay. Reset?",
  restart: "Every call ends, and phones are without service for a minute or two. Restart?",
  "power-off": "Every call ends, and somebody has to switch the machine on again by hand. Switch it off?",
};
for (const [section, path] of [["#class", "/class"], ["#power", "/box"]]) {
  for (const button of document.querySelectorAll(`${section} button`)) button.addEventListener("click", async () => {
    const what = button.dataset.do;
    if (WARNINGS[what] && !confirm(WARNINGS[what])) return;
    find(`${section} .problem`).textContent = "";
    try {
      await ask(`${path}:${what}`, "POST");
      await (section === "#class" ? room() : look());
    } catch (error) {
      find(`${section} .problem`).textContent = error.message;
    }
  });
}

if (teacher) {
  const box = await ask("/box");
  find("#notebooks").href = box.notebooks || `${location.protocol}//${location.hostname}:8888/lab`;
  find("#class").hidden = find("#notebooks").hidden = false;
  find("#power").hidden = !box.power;
}
async function all() {
  await look();
  if (teacher) await room();
}
await all();
setInterval(() => document.hidden || all(), EVERY);
