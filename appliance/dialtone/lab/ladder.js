// SPDX-License-Identifier: Apache-2.0
// Shows a ladder that Python has drawn: filters and picks rows, appends new ones, shows one message in detail.
// `mount` is for any page (/watch); the default export is for anywidget.

const PANES = [["Explain", "explain"], ["Decode", "decode"], ["Hex", "hex"], ["State", "states"]];
const TIMES = ["relative", "absolute", "delta"];
const HEAD = 40; // pixels, as in trace/ladder.py
const ROW = 26;
const HINT = "Click a message, or walk with the arrow keys and press Enter. Keys: / text, t time, p pause, Esc all.";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const pad = (number, digits) => String(number).padStart(digits, "0");

function clock(seconds) {
  const when = new Date(seconds * 1000);
  return [when.getHours(), when.getMinutes(), when.getSeconds()].map((part) => pad(part, 2)).join(":") +
    "." + pad(when.getMilliseconds(), 3);
}

// pick(id): a message was chosen. pause(on): stop or go on, where the host can do that.
export function mount(host, pick, pause = null) {
  const point = element("select", { "aria-label": "Reference point" });
  const who = element("select", { "aria-label": "Element" });
  const text = element("input", { type: "search", "aria-label": "Text", placeholder: "text, name, IMSI" });
  const time = element("button", { type: "button", "aria-label": "Time" }, TIMES[0]);
  const stop = element("button", { type: "button", "aria-pressed": "false" }, "pause");
  const note = element("span", { class: "dtl-note", role: "status" });
  const picture = element("div", { class: "dtl-picture" });
  const detail = element("div", { class: "dtl-detail", "aria-live": "polite" });
  detail.append(element("p", { class: "dtl-hint" }, HINT));
  host.classList.add("dtl");
  const bar = element("div", { class: "dtl-bar" }, point, who, text, time, ...(pause ? [stop] : []), note);
  host.append(bar, element("div", { class: "dtl-both" }, picture, detail));
  let picked = 0;
  let shown = "decode";
  let mode = 0;

  const rows = () => [...picture.querySelectorAll(".row")];
  const visible = () => rows().filter((row) => row.style.display !== "none");
  const fits = (row) => (!point.value || row.dataset.point === point.value) &&
    (!who.value || row.dataset.from === who.value || row.dataset.to === who.value) &&
    (!text.value || row.textContent.toLowerCase().includes(text.value.toLowerCase()) ||
      row.dataset.imsi.includes(text.value));

  const choices = (select, all, values) => {
    const before = select.value;
    if (select.options.length === values.length + 1) return;
    select.replaceChildren(element("option", { value: "" }, all), ...values.map((one) => element("option", { value: one }, one)));
    select.value = values.includes(before) ? before : "";
  };
  const offer = () => {
    const messages = rows().filter((row) => row.classList.contains("msg"));
    choices(point, "all points", [...new Set(messages.map((row) => row.dataset.point))].sort());
    choices(who, "all elements", [...picture.querySelectorAll(".head")].map((head) => head.dataset.column));
  };
  const sift = () => {
    let place = 0;
    for (const row of rows()) {
      const hidden = !fits(row);
      row.style.display = hidden ? "none" : "";
      // Rows close up, so that a filtered ladder has no holes.
      if (!hidden) row.setAttribute("transform", `translate(0 ${HEAD + ROW * place++})`);
    }
    stamp();
  };
  const stamp = () => {
    const all = visible();
    const start = Number(rows()[0]?.dataset.time);
    let before = Number(all[0]?.dataset.time);
    for (const row of all) {
      const now = Number(row.dataset.time);
      const shownTime = [() => `${((now - start) * 1000).toFixed(1)} ms`, () => clock(now),
        () => `+${((now - before) * 1000).toFixed(1)} ms`][mode]();
      row.querySelector(".time").textContent = shownTime;
      before = now;
    }
  };
  const mark = () => rows().forEach((row) => row.classList.toggle("picked", Number(row.dataset.id) === picked));
  const mates = (row) => {
    const name = row?.dataset.mates;
    for (const one of rows()) one.classList.toggle("mate", Boolean(name) && one.dataset.mates === name);
  };
  const choose = (row) => {
    if (!row) return;
    picked = Number(row.dataset.id);
    mark();
    mates(row);
    pick(picked);
  };
  const turnTime = () => {
    mode = (mode + 1) % TIMES.length;
    time.textContent = TIMES[mode];
    stamp();
  };
  const turnPause = () => {
    const on = stop.getAttribute("aria-pressed") !== "true";
    stop.setAttribute("aria-pressed", on);
    stop.textContent = on ? "go on" : "pause";
    pause(on);
  };
  const showAll = () => {
    point.value = who.value = text.value = "";
    sift();
  };

  for (const select of [point, who]) select.addEventListener("change", sift);
  text.addEventListener("input", sift);
  time.addEventListener("click", turnTime);
  stop.addEventListener("click", turnPause);
  picture.addEventListener("click", (event) => {
    if (event.target.closest(".time")) turnTime();
    else choose(event.target.closest(".row"));
  });
  picture.addEventListener("mouseover", (event) => mates(event.target.closest(".row")));
  picture.addEventListener("focusin", (event) => mates(event.target.closest(".row")));
  picture.addEventListener("mouseleave", () => mates(rows().find((row) => Number(row.dataset.id) === picked)));
  host.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === text && event.key !== "Escape") return;
    const row = event.target.closest(".row");
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    if (row && (event.key === "Enter" || event.key === " ")) choose(row);
    else if (row && step) {
      const seen = visible();
      seen[Math.max(0, Math.min(seen.length - 1, seen.indexOf(row) + step))]?.focus();
    } else if (event.key === "/") text.focus();
    else if (event.key === "t") turnTime();
    else if (event.key === "p" && pause) turnPause();
    else if (event.key === "Escape") showAll();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    draw(svg) {
      // The picture is made by trace/ladder.py, which escapes every text that came from outside.
      const atEnd = picture.scrollTop + picture.clientHeight >= picture.scrollHeight - ROW;
      picture.innerHTML = svg;
      offer();
      sift();
      mark();
      if (atEnd && pause) picture.scrollTop = picture.scrollHeight;
    },
    append({ rows: more, width, height }) {
      const svg = picture.querySelector("svg");
      const atEnd = picture.scrollTop + picture.clientHeight >= picture.scrollHeight - 40;
      svg.querySelector(".rows").insertAdjacentHTML("beforeend", more);
      svg.setAttribute("height", height);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.querySelectorAll(".life").forEach((line) => line.setAttribute("y2", height));
      offer();
      sift();
      if (atEnd) picture.scrollTop = picture.scrollHeight;
    },
    say(words) {
      note.textContent = words;
    },
    show(message) {
      detail.replaceChildren();
      if (!message || !message.id) return detail.append(element("p", { class: "dtl-hint" }, HINT));
      const title = [message.name, message.clause].filter(Boolean).join(" · ");
      const ends = [message.point, `${message.src} to ${message.dst}`, message.security].filter(Boolean).join(" · ");
      const tabs = element("div", { class: "dtl-tabs", role: "tablist" });
      const pane = element("pre", { class: "dtl-text", tabindex: "0" });
      const turn = (name) => {
        shown = name;
        const plain = name === "hex" && message.plain_hex ? `\n\ndeciphered:\n${message.plain_hex}` : "";
        pane.textContent = (message[name] || message.info || "nothing") + plain;
        pane.classList.toggle("dtl-words", name === "explain");
        [...tabs.children].forEach((tab) => tab.setAttribute("aria-selected", tab.dataset.name === name));
      };
      for (const [label, name] of PANES) {
        const tab = element("button", { role: "tab", "data-name": name, type: "button" }, label);
        tab.addEventListener("click", () => turn(name));
        tabs.append(tab);
      }
      detail.append(element("h4", {}, title), element("p", { class: "dtl-ends" }, ends), tabs, pane);
      turn(shown);
    },
  };
}

function render({ model, el }) {
  const ladder = mount(el, (id) => {
    model.set("selected", id);
    model.save_changes();
  });
  const draw = () => ladder.draw(model.get("svg"));
  const show = () => ladder.show(model.get("detail"));
  const append = (message) => ladder.append(message);
  draw();
  if (model.get("selected")) show();
  model.on("change:svg", draw);
  model.on("change:detail", show);
  model.on("msg:custom", append);
  return () => {
    model.off("change:svg", draw);
    model.off("change:detail", show);
    model.off("msg:custom", append);
  };
}

export default { render };
