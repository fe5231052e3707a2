// The images, captions and scores of the page, and what can be said of one image. Nothing here draws.

// How many texts at a time are prepared for searching while the reader looks at the page.
const SLICE = 500;
const INVENTIONS = "CHAIR"; // a score above zero is of an object that is not in the picture
const INVENTED = "invented:"; // and so is a note that begins like this

// The data that the page holds as base64 of gzip of JSON.
async function unpacked(element) {
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

class Gallery {
  constructor(data, pictures) {
    this.data = data;
    this.pictures = pictures;
    this.images = data.ids.length;
    this.runs = data.runs.map((_, run) => run);
    // Where two data sets have an image with the same id, the second has an address of its own.
    this.indexOf = new Map();
    this.addresses = data.ids.map((id, index) => {
      const address = this.indexOf.has(id) ? `${id}~${index}` : id;
      this.indexOf.set(address, index);
      return address;
    });
    this.texts = [];
    this.lengths = [];
  }

  // Everything that a search looks at.
  textOf(image) {
    while (this.texts.length <= image) {
      const index = this.texts.length;
      const parts = [this.data.ids[index], ...this.data.references[index]];
      for (const tag of this.data.tags[index]) parts.push(this.data.tagNames[tag]);
      for (const { captions, ended, errors, notes } of this.data.answers) {
        parts.push(captions[index] ?? this.data.outcomes[ended[index]] ?? "", errors[index] ?? "");
        for (const metric in notes) parts.push(notes[metric][index]);
      }
      this.texts.push(parts.join("\n").toLowerCase());
    }
    return this.texts[image];
  }

  // {caption, reference}: the number of words of the longest of each.
  lengthsOf(image) {
    while (this.lengths.length <= image) {
      const index = this.lengths.length;
      const longest = (texts) => Math.max(0, ...texts.map((text) => text?.match(WORD)?.length ?? 0));
      this.lengths.push({
        caption: longest(this.data.answers.map(({ captions }) => captions[index])),
        reference: longest(this.data.references[index]),
      });
    }
    return this.lengths[image];
  }

  // Prepare what searching and filtering need, some images at a time.
  prepare() {
    if (this.lengths.length >= this.images) return;
    const last = Math.min(this.images, this.lengths.length + SLICE) - 1;
    this.textOf(last);
    this.lengthsOf(last);
    setTimeout(() => this.prepare());
  }

  // In hundredths of a point; null where there is none.
  score(run, metric, image) {
    return this.data.answers[run].scores[metric]?.[image] ?? null;
  }

  // One run's score minus another's; null where either has none.
  difference(one, other, metric, image) {
    const [ours, theirs] = [this.score(one, metric, image), this.score(other, metric, image)];
    return ours === null || theirs === null ? null : ours - theirs;
  }

  // The same, above zero where the first run is better.
  gain({ one, other }, metric, image) {
    const difference = this.difference(one, other, metric, image);
    return difference === null ? null : difference * this.data.better[metric];
  }

  // The lowest and the highest score of some runs, turned so that higher is better; null without any score.
  extremes(runs, metric, image) {
    let [low, high] = [Infinity, -Infinity];
    for (const run of runs) {
      const score = this.score(run, metric, image);
      if (score === null) continue;
      const oriented = score * this.data.better[metric];
      low = Math.min(low, oriented);
      high = Math.max(high, oriented);
    }
    return low > high ? null : { low, high, several: runs.length > 1 };
  }

  // The best score of an image among some runs, which is marked; null where there is nothing to mark.
  bestScore(runs, image) {
    const found = this.data.marked && runs.length > 1 ? this.extremes(runs, 0, image) : null;
    return found && found.high * this.data.better[0];
  }

  outcome(run, image) {
    const { ended } = this.data.answers[run];
    return ended[image] < 0 ? "not in this run" : this.data.outcomes[ended[image]];
  }

  // What the metrics say of a caption in words: [[metric, text]].
  notes(run, image) {
    return Object.entries(this.data.answers[run].notes).flatMap(([metric, texts]) => (texts[image] ? [[metric, texts[image]]] : []));
  }

  hasInvented(run, image) {
    const { notes, scores } = this.data.answers[run];
    for (const metric in notes) if (notes[metric][image].startsWith(INVENTED)) return true;
    return this.data.metrics.some((name, metric) => name.startsWith(INVENTIONS) && scores[metric][image] > 0);
  }

  // Where the picture is; null where the page has none.
  picture(image) {
    const number = this.data.pictures[image];
    const { folder, shown } = this.pictures;
    if (number < 0) return null;
    return folder ? `${encodeURIComponent(folder)}/${shown[number]}` : `data:image/jpeg;base64,${shown[number]}`;
  }
}
