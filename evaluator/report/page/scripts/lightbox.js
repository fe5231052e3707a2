// One image, large, with everything that is known of it: captions, scores, references, and marks to give.

const MOST_ZOOM = 8;

class Lightbox {
  // Calls `moved` with the image that is shown, or null, and `changed` with an image whose marks changed.
  constructor(gallery, captions, marks, { moved, changed }) {
    Object.assign(this, { gallery, captions, marks, moved, changed });
    this.dialog = document.getElementById("lightbox");
    this.stage = this.dialog.querySelector(".stage");
    this.title = this.dialog.querySelector("h2");
    this.position = this.dialog.querySelector("output");
    this.content = this.dialog.querySelector(".content");
    this.matches = [];
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.dialog.addEventListener("click", ({ target }) => this.clicked(target.closest("button")));
    this.stage.addEventListener("click", (event) => this.magnify(event));
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
  }

  get isOpen() {
    return this.dialog.open;
  }

  open(image, matches, choice) {
    [this.matches, this.choice] = [matches, choice];
    if (!this.isOpen) this.dialog.showModal();
    this.draw(image);
  }

  close() {
    if (this.isOpen) this.dialog.close();
  }

  closed() {
    this.stage.replaceChildren();
    this.moved(null, this.image);
  }

  step(by) {
    const next = this.matches[this.matches.indexOf(this.image) + by];
    if (next !== undefined) this.draw(next);
  }

  draw(image) {
    this.image = image;
    this.zoom = 1;
    const { data } = this.gallery;
    this.title.replaceChildren(isolated(data.ids[image]));
    const [place, all] = [this.matches.indexOf(image) + 1, this.matches.length].map((count) => count.toLocaleString("en"));
    this.position.textContent = `${place} of ${all}`;
    const picture = pictureOf(this.gallery, image);
    if (picture.alt) picture.draggable = false;
    this.stage.replaceChildren(picture);
    this.stage.classList.remove("zoomed");
    const facts = make("p", "facts", ...this.captions.facts(image, this.choice));
    this.content.replaceChildren(facts, this.answers(image), this.captions.references(image));
    this.content.scrollTop = 0;
    this.moved(image);
  }

  answers(image) {
    const scores = this.gallery.data.metrics.flatMap((_, metric) => (this.gallery.extremes(this.choice.runs, metric, image) ? [metric] : []));
    const list = this.captions.answers(image, { ...this.choice, scores });
    this.hands = []; // each shows its run's mark anew: runs that say the same share it
    this.choice.runs.forEach((run, number) => {
      if (this.gallery.data.answers[run].captions[image] !== null) list.children[number].append(this.hand(run, image));
    });
    return list;
  }

  // The buttons and the field to mark a caption with.
  hand(run, image) {
    const name = this.gallery.data.runs[run];
    const now = () => this.marks.of(run, image) ?? { mark: "", note: "" };
    const buttons = ["good", "bad"].map((mark) => {
      const made = button(mark, `${mark}: ${name}`, `hand-button ${mark}`);
      made.addEventListener("click", () => change(now().mark === mark ? "" : mark, now().note));
      return made;
    });
    const note = make("input", "hand-note");
    Object.assign(note, { type: "text", placeholder: "note", maxLength: 500 });
    note.setAttribute("aria-label", `Note on ${name}`);
    note.addEventListener("change", () => change(now().mark, note.value));
    const show = () => {
      buttons.forEach((made) => made.setAttribute("aria-pressed", made.classList.contains(now().mark || "none")));
      note.value = now().note;
    };
    const change = (mark, text) => {
      this.marks.set(run, image, mark, text);
      this.hands.forEach((each) => each());
      this.changed(image);
    };
    this.hands.push(show);
    show();
    return make("span", "hand-marks", ...buttons, note);
  }

  clicked(pressed) {
    if (!pressed) return;
    if (pressed.dataset.step) this.step(Number(pressed.dataset.step));
    if (pressed.dataset.zoom) this.scale(this.zoom * Number(pressed.dataset.zoom));
    if ("close" in pressed.dataset) this.dialog.close();
  }

  pressed(event) {
    if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      j: () => this.step(1), ArrowRight: () => this.step(1), k: () => this.step(-1), ArrowLeft: () => this.step(-1),
      "+": () => this.scale(this.zoom * 1.5), "=": () => this.scale(this.zoom * 1.5),
      "-": () => this.scale(this.zoom / 1.5), 0: () => this.scale(1),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  // Zoom so that a point of the picture, from 0 to 1 in both directions, stays in the middle.
  scale(zoom, [x, y] = [0.5, 0.5]) {
    const picture = this.stage.querySelector("img");
    if (!picture) return;
    if (this.zoom === 1) this.fitted = picture.clientWidth;
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, zoom));
    this.stage.classList.toggle("zoomed", this.zoom > 1);
    picture.style.width = this.zoom > 1 ? `${this.fitted * this.zoom}px` : "";
    this.stage.scrollTo(picture.clientWidth * x - this.stage.clientWidth / 2, picture.clientHeight * y - this.stage.clientHeight / 2);
  }

  magnify({ target, offsetX, offsetY }) {
    if (!target.matches("img") || this.dragged) return;
    this.scale(this.zoom > 1 ? 1 : 2.5, [offsetX / target.clientWidth, offsetY / target.clientHeight]);
  }

  drag(start) {
    this.dragged = false;
    const [left, top] = [this.stage.scrollLeft, this.stage.scrollTop];
    const move = (event) => {
      const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
      if (this.zoom === 1 || Math.hypot(x, y) < 4) return;
      this.dragged = true;
      this.stage.scrollTo(left - x, top - y);
    };
    const end = new AbortController();
    window.addEventListener("pointermove", move, { signal: end.signal });
    window.addEventListener("pointerup", () => end.abort(), { signal: end.signal });
  }
}
