// SPDX-License-Identifier: Apache-2.0
// Shows a ladder that Python has drawn: filters and picks rows, appends new ones, shows one message in detail.
// `mount` is for any page; the default export is for anywidget.

const POINTS = ["S1-MME", "NAS", "S11", "S5/S8", "S6a", "S1-U"];
const PANES = [["Explain", "explain"], ["Decode", "decode"], ["Hex", "hex"]];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function mount(host, pick) {
  const filter = element("select", { "aria-label": "Show" }, element("option", { value: "" }, "all messages"));
  for (const point of POINTS) filter.append(element("option", { value: point }, point));
  const picture = element("div", { class: "dtl-picture" });
  const detail = element("div", { class: "dtl-detail", "aria-live": "polite" });
  const hint = "Click a message, or walk with the arrow keys and press Enter.";
  detail.append(element("p", { class: "dtl-hint" }, hint));
  host.classList.add("dtl");
  host.append(element("div", { class: "dtl-bar" }, "Show ", filter), element("div", { class: "dtl-both" }, picture, detail));
  let picked = 0;
  let shown = "decode";

  const rows = () => [...picture.querySelectorAll(".row")];
  const mark = () => rows().forEach((row) => row.classList.toggle("picked", Number(row.dataset.id) === picked));
  const sift = () => {
    let place = 0;
    const before = rows();
    for (const row of before) {
      const hidden = filter.value && row.dataset.point !== filter.value;
      row.style.display = hidden ? "none" : "";
      // Rows close up, so that a filtered ladder has no holes: 40 pixels of head, 26 a row.
      if (!hidden) row.setAttribute("transform", `translate(0 ${40 + 26 * place++})`);
    }
  };
  const choose = (row) => {
    if (!row) return;
    picked = Number(row.dataset.id);
    mark();
    pick(picked);
  };

  filter.addEventListener("change", sift);
  picture.addEventListener("click", (event) => choose(event.target.closest(".row")));
  picture.addEventListener("keydown", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    if (event.key === "Enter" || event.key === " ") choose(row);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const seen = rows().filter((one) => one.style.display !== "none");
      seen[seen.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    draw(svg) {
      // The picture is made by trace/ladder.py, which escapes every text that came from outside.
      picture.innerHTML = svg;
      sift();
      mark();
    },
    append({ rows: more, width, height }) {
      const svg = picture.querySelector("svg");
      const atEnd = picture.scrollTop + picture.clientHeight >= picture.scrollHeight - 40;
      svg.querySelector(".rows").insertAdjacentHTML("beforeend", more);
      svg.setAttribute("height", height);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.querySelectorAll(".life").forEach((line) => line.setAttribute("y2", height));
      sift();
      if (atEnd) picture.scrollTop = picture.scrollHeight;
    },
    show(message) {
      detail.replaceChildren();
      if (!message || !message.id) return detail.append(element("p", { class: "dtl-hint" }, hint));
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
