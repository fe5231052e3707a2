// The matrix: one row for each image, one column for each system. Its head and its first column stay in sight.

class Matrix {
  constructor(gallery, captions) {
    [this.gallery, this.captions] = [gallery, captions];
    [this.size, this.height, this.scrolls] = [20, 120, true];
  }

  element({ runs }) {
    const heads = runs.map((run) => {
      const head = make("th", "", runName(this.gallery, run));
      head.scope = "col";
      return head;
    });
    const corner = make("th", "corner", "Image");
    corner.scope = "col";
    const table = make("table", "matrix", make("thead", "", make("tr", "", corner, ...heads)));
    table.style.setProperty("--systems", runs.length);
    const box = make("div", "matrix-box", table);
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Matrix of images and systems");
    this.columns = runs.length + 1;
    return { outer: box, inner: table };
  }

  block() {
    return make("tbody");
  }

  spacer(pixels) {
    const cell = make("td");
    cell.colSpan = this.columns;
    cell.style.height = `${pixels}px`;
    return make("tr", "", cell);
  }

  item(image, choice) {
    const best = this.gallery.bestScore(choice.runs, image);
    const head = make("th", "", openingPicture(this.gallery, image), this.captions.link(image));
    head.scope = "row";
    const cells = choice.runs.map((run) =>
      make("td", colourOf(run), this.captions.caption(run, image, choice), ...this.captions.mark(run, image), this.captions.scores(run, image, best, choice)),
    );
    return make("tr", "", head, ...cells);
  }
}
