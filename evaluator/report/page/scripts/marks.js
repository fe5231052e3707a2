// What the reader thinks of single captions: good or bad, with a note. The browser keeps it; nothing is sent.

class Marks {
  // Marks that came with the page lie below those of this browser.
  constructor(gallery) {
    this.gallery = gallery;
    this.place = `evaluator marks ${gallery.data.dataset}`;
    this.given = new Map(gallery.data.marks.map(([run, image, mark, note]) => [this.key(run, image), { mark, note }]));
    this.own = this.read();
  }

  key(run, image) {
    return JSON.stringify([this.gallery.data.names[run], this.gallery.addresses[image]]);
  }

  // A browser may refuse to keep anything for a file: then marks last as long as the page is open.
  read() {
    try {
      return JSON.parse(localStorage.getItem(this.place)) ?? {};
    } catch {
      return this.own ?? {};
    }
  }

  // {mark, note}, or null; a mark of another caption than today's does not count.
  of(run, image) {
    const key = this.key(run, image);
    const own = Object.hasOwn(this.own, key) ? this.own[key] : null;
    const current = own && own.caption === this.gallery.data.answers[run].captions[image] ? own : this.given.get(key);
    return current && (current.mark || current.note) ? { mark: current.mark, note: current.note } : null;
  }

  set(run, image, mark, note) {
    const caption = this.gallery.data.answers[run].captions[image];
    this.own = { ...this.read(), [this.key(run, image)]: { mark, note, caption } };
    try {
      localStorage.setItem(this.place, JSON.stringify(this.own));
    } catch {
      // Kept in memory.
    }
  }

  // All marks of the page's captions, as evaluator reads them back.
  entries() {
    const { data, indexOf } = this.gallery;
    const places = [...new Set([...this.given.keys(), ...Object.keys(this.own)])].map((key) => {
      const [name, address] = JSON.parse(key);
      return [data.names.indexOf(name), indexOf.get(address) ?? -1];
    });
    return places
      .filter(([run, image]) => run >= 0 && image >= 0 && this.of(run, image))
      .sort(([one, first], [other, second]) => one - other || first - second)
      .map(([run, image]) => ({
        run: data.names[run], image: data.ids[image], ...this.of(run, image), caption: data.answers[run].captions[image],
      }));
  }
}
