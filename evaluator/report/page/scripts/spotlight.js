// The picture beside the leaderboard: images on which the two best runs differ most, one at a time.

const MOST_SPOTS = 10;

// The images with the largest sizes, of those that have one; with a picture, where any has.
function largest({ data, images }, sizeOf) {
  const anyPicture = data.pictures.some((picture) => picture >= 0);
  const found = []; // [size, image], the largest first
  for (let image = 0; image < images; image++) {
    const size = anyPicture && data.pictures[image] < 0 ? null : sizeOf(image);
    if (size === null || (found.length === MOST_SPOTS && size <= found.at(-1)[0])) continue;
    found.push([size, image]);
    found.sort(([one, first], [other, second]) => other - one || first - second);
    found.length = Math.min(found.length, MOST_SPOTS);
  }
  return found.map(([, image]) => image);
}

class Spotlight {
  // `visit` goes to an image.
  constructor(gallery, captions, figure, visit) {
    Object.assign(this, { gallery, captions, figure });
    const { data, runs } = gallery;
    this.pair = runs.filter((run) => data.answers[run].captions.some((text) => text !== null)).slice(0, 2);
    this.images = this.pair.length ? largest(gallery, (image) => this.size(image)) : [];
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

  // How much the two runs differ on an image; of a single run, how low its score is.
  size(image) {
    const [one, other] = this.pair;
    const { data } = this.gallery;
    if (!data.metrics.length) return data.answers[one].captions[image] === null ? null : 0;
    const score = this.gallery.score(one, 0, image);
    if (other === undefined) return score === null ? null : -score * data.better[0];
    const difference = this.gallery.difference(one, other, 0, image);
    return difference === null ? null : Math.abs(difference);
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
