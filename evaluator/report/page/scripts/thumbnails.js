// The grid: only pictures. The tint says which of two systems is better, and by how much.

const STRONGEST = 70; // per cent of a system's colour, for the largest difference

class Thumbnails {
  constructor(gallery, captions) {
    [this.gallery, this.captions] = [gallery, captions];
    [this.size, this.height] = [60, 40]; // a multiple of every number of columns in the style sheet
  }

  element(choice) {
    this.largest = this.largestDifference(choice);
    const grid = make("div", "thumbnails");
    return { outer: grid, inner: grid };
  }

  // Nine of ten differences are at most this large: a few huge ones must not make all others pale.
  largestDifference(choice) {
    const sizes = [];
    for (let image = 0; image < this.gallery.images; image++) {
      const value = this.value(choice, image);
      if (value) sizes.push(Math.abs(value));
    }
    return Float64Array.from(sizes).sort().at(Math.floor(0.9 * (sizes.length - 1))) || 1;
  }

  // The gain of A on B; of a single system, its score.
  value({ one, other, metric }, image) {
    if (!this.gallery.data.metrics.length) return null;
    return one === other ? this.gallery.score(one, metric, image) : this.gallery.difference(one, other, metric, image);
  }

  block() {
    return make("div", "block");
  }

  spacer(pixels) {
    const space = make("div", "space");
    space.style.height = `${pixels}px`;
    return space;
  }

  item(image, choice) {
    const value = this.value(choice, image);
    const made = openingPicture(this.gallery, image);
    const { one, other, metric } = choice;
    const better = (value ?? 0) * (this.gallery.data.better[metric] ?? 1) >= 0 ? one : other;
    made.classList.add("thumbnail", colourOf(better));
    made.style.setProperty("--tint", `${Math.round(STRONGEST * Math.min(1, Math.abs(value ?? 0) / this.largest))}%`);
    const text = value === null ? "–" : one === other ? inPoints(value) : signed(value);
    made.append(make("span", "value", text));
    const name = value === null ? "no score" : `${this.gallery.data.metrics[metric]} ${text}`;
    made.setAttribute("aria-label", `Image ${this.gallery.data.ids[image]}: ${name}`);
    return made;
  }
}
