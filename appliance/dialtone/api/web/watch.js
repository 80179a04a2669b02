// SPDX-License-Identifier: Apache-2.0
// /watch: the live ladder in a browser, with no notebook behind it.

import { element, mount } from "/static/ladder.js";
import { ask, enter, greet } from "/static/page.js";

const main = document.querySelector("main");
const phone = document.querySelector("#phone");
const capture = document.querySelector("#capture");
greet(await enter(main));

let source = null;
let chosen = 0;
const ladder = mount(document.querySelector("#ladder"), async (id) => {
  chosen = id;
  try {
    const message = await ask(`/trace/${id}`);
    if (id === chosen) ladder.show(message);
  } catch (error) {
    ladder.show({ id, name: "", point: "", src: "", dst: "", decode: error.message });
  }
}, (on) => on ? close() : open());

function close() {
  source?.close();
  source = null;
  ladder.say("paused");
}

function open() {
  source?.close();
  ladder.say("");
  source = new EventSource(`/api/v1/trace/ladder/stream${phone.value ? `?imsi=${phone.value}` : ""}`);
  source.addEventListener("picture", (event) => {
    ladder.say("");
    ladder.draw(JSON.parse(event.data).svg);
  });
  source.addEventListener("rows", (event) => ladder.append(JSON.parse(event.data)));
  source.addEventListener("gap", (event) => ladder.say(`${JSON.parse(event.data).lost} messages were lost: this reader is too slow`));
  source.addEventListener("error", () => ladder.say(source?.readyState === EventSource.CLOSED ?
    "The stream has ended: reload this page." : "connecting again …"));
}

async function phones() {
  try {
    const known = new Set([...phone.options].map((one) => one.value));
    for (const { imsi } of await ask("/ues")) if (imsi && !known.has(imsi)) phone.append(element("option", { value: imsi }, imsi));
  } catch { /* the core is away: the list stays as it is */ }
}

phone.addEventListener("change", () => {
  capture.href = `/api/v1/trace.pcapng${phone.value ? `?imsi=${phone.value}` : ""}`;
  open();
});
phone.addEventListener("focus", phones);

const quiz = document.querySelector("#quiz form");
for (const question of (await ask("/class/questions")).questions) quiz.elements.question.append(element("option", {}, question));
quiz.addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = quiz.querySelector(".said");
  const { question, answer } = quiz.elements;
  try {
    said.textContent = (await ask("/class/answers", "POST", { question: question.value, answer: answer.value })).text;
  } catch (error) {
    said.textContent = error.message;
  }
});

await phones();
open();
