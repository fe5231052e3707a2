// What the reader has chosen: it stands in the controls and in the address of the page.
//
// #view=matrix&show=first&one=0&other=1&image=42. What is as at first is left out of the address.

// A click elsewhere, or Escape, closes what is open.
function closeFromElsewhere(details) {
  document.addEventListener("click", ({ target }) => {
    if (!details.contains(target)) details.open = false;
  });
  details.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    details.open = false;
    details.querySelector("summary").focus();
  });
}

// A menu of boxes to tick. Calls `changed` with each change.
class Menu {
  constructor(details, entries, changed) {
    this.boxes = new Map();
    const list = details.querySelector("div");
    for (const [value, ...content] of entries) {
      const box = make("input");
      box.type = "checkbox";
      box.addEventListener("change", changed);
      this.boxes.set(value, box);
      list.append(make("label", "", box, ...content));
    }
    closeFromElsewhere(details);
  }

  // In the address, the values that are ticked: "0,2".
  get value() {
    return [...this.boxes].flatMap(([value, box]) => (box.checked ? [value] : [])).join(",");
  }

  set value(text) {
    const wanted = text.split(",").map(Number);
    this.boxes.forEach((box, value) => (box.checked = wanted.includes(value)));
  }

  get numbers() {
    return [...this.boxes].flatMap(([value, box]) => (box.checked ? [value] : []));
  }
}

class Choices {
  // `changed` is called with what was chosen. `menus` are made by their names: {runs: Menu, scores: Menu, ...}.
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.menus = {};
    // The plot of two runs has some of the fields too.
    this.fields = {};
    for (const name of ["search", "show", "order", "mark"]) this.add(name, [document.getElementById(name)]);
    for (const name of ["one", "other", "metric"]) this.add(name, [...document.querySelectorAll(`select.${name}`)]);
    this.view = "cards";
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("click", ({ target }) => this.clicked(target.closest("button")));
    document.querySelectorAll("a[data-show]").forEach((link) =>
      link.addEventListener("click", (event) => {
        event.preventDefault(); // the address is for what was chosen
        this.ask(link.dataset.show, link.dataset.order, { one: "0", other: link.dataset.other, metric: "0" });
        document.getElementById("images").scrollIntoView();
      }),
    );
  }

  add(name, fields) {
    this.fields[name] = fields;
    fields.forEach((field) =>
      field.addEventListener(name === "search" ? "input" : "change", () => {
        this.set(name, field.value);
        this.changed();
      }),
    );
  }

  addMenu(name, details, entries, atFirst) {
    if (!details) return;
    details.hidden = false;
    this.menus[name] = new Menu(details, entries, () => this.changed());
    this.menus[name].value = atFirst.join(",");
  }

  // After everything is added: what is not in the address.
  begin() {
    this.start = this.state();
  }

  get(name) {
    return this.fields[name][0]?.value ?? "0";
  }

  set(name, value) {
    if (name === "view") this.view = ["cards", "matrix", "grid"].includes(value) ? value : "cards";
    else if (name in this.menus) this.menus[name].value = value;
    else this.fields[name].forEach((field) => {
      const before = field.value;
      field.value = value;
      if (field.selectedIndex === -1) field.value = before; // an address may say anything
    });
  }

  state() {
    return {
      view: this.view,
      ...Object.fromEntries(Object.keys(this.fields).map((name) => [name, this.get(name)])),
      ...Object.fromEntries(Object.entries(this.menus).map(([name, menu]) => [name, menu.value])),
    };
  }

  // The same, with numbers where views and questions need them.
  choice(gallery) {
    const { one, other, metric, ...texts } = this.state();
    const numbers = Object.fromEntries(Object.entries(this.menus).map(([name, menu]) => [name, menu.numbers]));
    return { scores: [], runs: gallery.runs, ...texts, ...numbers, one: Number(one), other: Number(other), metric: Number(metric) };
  }

  // One click asks a question: what is shown and in which order.
  ask(show, order, others = {}) {
    for (const [name, value] of Object.entries({ show, order, search: "", ...others })) this.set(name, value);
    this.changed();
  }

  clicked(pressed) {
    if (!pressed) return;
    if (pressed.id === "swap") this.swap();
    if (pressed.dataset.view) {
      this.set("view", pressed.dataset.view);
      this.changed();
    }
    if (pressed.dataset.show) this.ask(pressed.dataset.show, pressed.dataset.order);
  }

  swap() {
    const [one, other] = [this.get("one"), this.get("other")];
    this.set("one", other);
    this.set("other", one);
    this.changed();
  }

  // What was chosen on the buttons.
  press() {
    const pressed = (made, is) => made.setAttribute("aria-pressed", is);
    this.form.querySelectorAll("button[data-view]").forEach((made) => pressed(made, made.dataset.view === this.view));
    this.form.querySelectorAll("button[data-show]").forEach((made) => pressed(made, made.dataset.show === this.get("show")));
  }

  remember(image) {
    const kept = new URLSearchParams(image === null ? {} : { image });
    for (const [name, value] of Object.entries(this.state())) if (value !== this.start[name]) kept.set(name, value);
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  }

  // Choose what the address says. Returns its image, and whether it said anything else.
  recall() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const named = Object.keys(this.start).filter((name) => wanted.has(name));
    named.forEach((name) => this.set(name, wanted.get(name)));
    return { image: wanted.get("image"), hasChoices: named.length > 0 };
  }
}
