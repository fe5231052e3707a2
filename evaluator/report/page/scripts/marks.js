// What the reader thinks of single captions: good or bad, with a note. The browser keeps it; nothing is sent.
//
// A mark is of what is said about an image: runs that say the same share it.

class Marks {
  // Marks that came with the page lie below those of this browser.
  constructor(gallery) {
    this.gallery = gallery;
    this.place = `evaluator marks ${gallery.data.dataset}`;
    this.own = this.read();
    this.take();
  }

  // The marks of the images that the gallery has.
  take() {
    this.given = new Map(this.gallery.data.marks.map(([run, image, mark, note]) => [this.key(run, image), { mark, note }]));
  }

  key(run, image) {
    return JSON.stringify([this.gallery.address(image), this.gallery.data.answers[run].captions[image]]);
  }

  // A browser may refuse to keep anything for a file: then marks last as long as the page is open.
  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.place)) ?? {};
      return new Map(Object.entries(kept).map(([key, entry]) => [this.keyOfKept(key, entry), { mark: entry.mark, note: entry.note }]));
    } catch {
      return this.own ?? new Map();
    }
  }

  // Earlier versions kept a mark by run and image, with its caption.
  keyOfKept(key, { caption }) {
    return caption === undefined ? key : JSON.stringify([JSON.parse(key)[1], caption]);
  }

  // {mark, note}, or null.
  of(run, image) {
    if (!this.own.size && !this.given.size) return null;
    const key = this.key(run, image);
    const current = this.own.get(key) ?? this.given.get(key);
    return current && (current.mark || current.note) ? { mark: current.mark, note: current.note } : null;
  }

  set(run, image, mark, note) {
    this.own = this.read().set(this.key(run, image), { mark, note });
    try {
      localStorage.setItem(this.place, JSON.stringify(Object.fromEntries(this.own)));
    } catch {
      // Kept in memory.
    }
  }

  // All marks of the page's captions, as evaluator reads them back: one for each run that says the caption.
  entries() {
    const { data, indexOf, runs } = this.gallery;
    const addresses = [...this.given.keys(), ...this.own.keys()].map((key) => JSON.parse(key)[0]);
    const images = [...new Set(addresses)].map((address) => indexOf.get(address) ?? -1).filter((image) => image >= 0);
    return runs.flatMap((run) =>
      images
        .filter((image) => this.of(run, image))
        .sort((first, second) => first - second)
        .map((image) => ({ run: data.names[run], image: data.ids[image], ...this.of(run, image), caption: data.answers[run].captions[image] })),
    );
  }
}
