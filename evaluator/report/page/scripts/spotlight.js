// The picture beside the leaderboard: images on which the two best runs differ most, one at a time.

class Spotlight {
  // `visit` goes to an image.
  constructor(gallery, captions, figure, visit) {
    Object.assign(this, { gallery, captions, figure });
    ({ runs: this.pair, images: this.images } = gallery.data.spotlight);
    this.number = 0;
    figure.hidden = !this.images.length;
    figure.addEventListener("click", ({ target }) => {
      const step = target.closest("[data-turn]");
      if (step) this.turn(Number(step.dataset.turn));
      const opener = target.closest(".opener, a");
      if (opener) visit(Number(opener.dataset.image));
    });
    if (this.images.length) this.draw();
  }

  turn(by) {
    this.number = (this.number + by + this.images.length) % this.images.length;
    this.draw();
    this.figure.querySelector(`[data-turn="${by}"]`).focus();
  }

  draw() {
    const image = this.images[this.number];
    const { data } = this.gallery;
    const choice = { runs: this.pair, scores: data.metrics.length ? [0] : [], mark: "references", order: "data" };
    const what = this.pair.length > 1 ? "Where the first two differ most" : "Where its score is lowest";
    const turns = [["←", "Previous of these images", -1], ["→", "Next of these images", 1]].map(([text, label, by]) => {
      const made = button(text, label);
      made.dataset.turn = by;
      return made;
    });
    const place = make("span", "place", `${this.number + 1} of ${this.images.length}`);
    const head = make("figcaption", "", make("b", "", what), ...(this.images.length > 1 ? [place, ...turns] : []));
    const reference = data.references[image][0];
    const referenceLine = reference === undefined ? [] : [make("p", "reference", make("b", "", "A reference: "), isolated(reference))];
    this.figure.replaceChildren(
      head, openingPicture(this.gallery, image), this.captions.answers(image, choice), ...referenceLine,
    );
  }
}
