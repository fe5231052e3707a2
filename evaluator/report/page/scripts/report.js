// Starts the page: connects the data, the controls, the views and the address.

class Report {
  constructor(gallery, form, leaderboard) {
    Object.assign(this, { gallery, leaderboard });
    this.marks = new Marks(gallery);
    this.captions = new Captions(gallery, this.marks);
    this.questions = new Questions(gallery, this.marks);
    this.list = new BlockList(document.getElementById("list"), gallery);
    this.views = { cards: Cards, matrix: Matrix, grid: Thumbnails };
    this.matches = [];
    this.choices = new Choices(form, () => this.change());
    this.addMenus();
    this.choices.begin();
    this.lightbox = new Lightbox(gallery, this.captions, this.marks, {
      moved: (image, left) => this.moved(image, left),
      changed: (image) => this.marked(image),
    });
    const figure = document.getElementById("scatter");
    if (figure) {
      figure.hidden = false;
      this.scatter = new Scatter(gallery, figure, (image) => this.visit(image));
    }
    this.spotlight = new Spotlight(gallery, this.captions, document.getElementById("spotlight"), (image) => this.visit(image));
    this.list.place.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-image]");
      if (!opener) return;
      event.preventDefault();
      this.visit(Number(opener.dataset.image));
    });
    document.getElementById("exports").addEventListener("click", ({ target }) => this.whenComplete(() => this.export(target.dataset.export)));
    window.addEventListener("hashchange", () => this.follow());
    window.addEventListener("beforeprint", () => this.list.print());
    window.addEventListener("afterprint", () => this.list.printed());
    form.hidden = false;
    this.list.place.setAttribute("aria-busy", "true");
    this.follow();
  }

  // All images are there: do what was asked for meanwhile.
  complete(data, otherPictures) {
    this.gallery.complete(data, otherPictures);
    this.marks.take();
    this.tally();
    if (this.isWaiting) this.find();
    else {
      this.list.complete();
      this.describe();
    }
    this.asked?.();
    this.list.place.removeAttribute("aria-busy");
    whenIdle(() => this.gallery.prepare());
  }

  // Do something as soon as all images are there; of several wishes, the last.
  whenComplete(act) {
    if (this.gallery.isComplete) act();
    else {
      this.asked = act;
      this.wait();
    }
  }

  wait() {
    this.isWaiting = true;
    document.getElementById("shown").textContent = "unpacking all images …";
  }

  addMenus() {
    const { data, runs } = this.gallery;
    const byId = (id) => document.getElementById(id);
    this.choices.addMenu("runs", byId("systems"), runs.map((run) => [run, runName(this.gallery, run)]), runs);
    const metrics = data.metrics.map((name, metric) => [metric, isolated(name)]);
    this.choices.addMenu("scores", byId("scores"), metrics, metrics.slice(0, data.columns).map(([metric]) => metric));
    const { columns } = this.leaderboard;
    const atFirst = columns.filter(([, , isFirst]) => isFirst).map(([column]) => column);
    this.choices.addMenu("columns", byId("columns"), columns.map(([column, name]) => [column, isolated(name)]), atFirst);
  }

  // Draw what was chosen.
  find() {
    const choice = this.choices.choice(this.gallery);
    this.choice = choice;
    this.leaderboard.showColumns(choice.columns);
    showRuns(choice.runs);
    this.choices.press();
    if (!this.gallery.isComplete && !this.questions.asksNothing(choice)) {
      this.wait();
      return;
    }
    this.isWaiting = false;
    this.matches = this.questions.find(choice);
    const [some, all] = [this.matches.length, this.gallery.images].map((count) => count.toLocaleString("en"));
    document.getElementById("shown").textContent = some === all ? `${all} shown` : `${some} of ${all} match`;
    this.list.show(this.matches, choice, new this.views[choice.view](this.gallery, this.captions));
    if (this.gallery.isComplete) this.describe();
  }

  // What is said of all images: the plot of two runs, and how many answer each question.
  describe() {
    this.scatter?.show(this.choice);
    this.countAnswers(this.choice);
  }

  // Say on each question how many images answer it, one question at a time while nothing else is to be done.
  countAnswers(choice) {
    const key = [choice.one, choice.other, choice.metric, choice.runs].join(" ");
    if (key === this.counted) return;
    this.counted = key;
    const buttons = [...document.querySelectorAll(".questions button")];
    const next = () => {
      const made = buttons.shift();
      if (!made || this.counted !== key) return;
      made.querySelector(".count")?.remove();
      made.append(make("span", "count", this.questions.count(choice, made.dataset.show).toLocaleString("en")));
      whenIdle(next);
    };
    setTimeout(next, 300); // first the images
  }

  change() {
    this.find();
    this.choices.remember(null);
  }

  // Do what the address says; an image that does not match is shown among all images.
  follow() {
    const { image: address, hasChoices } = this.choices.recall();
    if (hasChoices || !this.choice) this.find(); // after a reload a browser keeps what was typed
    if (address === null) this.lightbox.close();
    else this.whenComplete(() => this.showImage(this.gallery.indexOf.get(address)));
  }

  visit(image) {
    this.whenComplete(() => this.showImage(image));
  }

  showImage(image) {
    if (image === undefined) {
      this.lightbox.close();
      return;
    }
    if (!this.matches.includes(image)) {
      this.choices.set("search", "");
      this.choices.set("show", "all");
      this.find();
    }
    this.lightbox.open(image, this.matches, this.choice);
  }

  // The image that the lightbox shows stands in the address; after it is closed, the list is at that image.
  moved(image, left) {
    this.choices.remember(image === null ? null : this.gallery.address(image));
    if (image === null) this.list.reveal(left);
  }

  marked(image) {
    this.list.refresh(image);
    this.tally();
  }

  tally() {
    const marks = this.marks.entries();
    const count = (mark) => marks.filter((entry) => entry.mark === mark).length.toLocaleString("en");
    document.getElementById("tally").textContent = `Marked by hand: ${count("good")} good, ${count("bad")} bad`;
  }

  export(what) {
    const rows = () => exportedRows(this.gallery, this.marks, this.matches, this.choice);
    if (what === "csv") download("images.csv", "text/csv", asCsv(rows()));
    if (what === "json") download("images.json", "application/json", `${JSON.stringify(rows(), null, 1)}\n`);
    if (what === "marks") download("marks.jsonl", "application/jsonl", this.marks.entries().map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  }
}

(async () => {
  const leaderboard = new Leaderboard(document.querySelector("table.leaderboard"));
  const form = document.querySelector("form.controls");
  if (!form) {
    new SiteIndex(leaderboard);
    return;
  }
  const report = new Report(new Gallery(embedded("first"), embedded("first-pictures")), form, leaderboard);
  // The other images follow this script, so that a reader sees the first ones before those are read.
  await new Promise((done) => document.addEventListener("DOMContentLoaded", done));
  let data;
  try {
    data = await unpacked("data");
  } catch (error) {
    form.hidden = true;
    document.getElementById("list").textContent = "This browser is too old to show the images: it cannot unpack them.";
    throw error;
  }
  report.complete(data, embedded("pictures"));
})();
