// The images, captions and scores of the page, and what can be said of one image. Nothing here draws.

// How many images at a time have their words counted while the reader looks at the page.
const SLICE = 500;
const INVENTIONS = "CHAIR"; // a score above zero is of an object that is not in the picture
const INVENTED = "invented:"; // and so is a note that begins like this

// Do something while nothing else is to be done; not every browser can tell.
const whenIdle = (task) => (window.requestIdleCallback ? window.requestIdleCallback(task) : setTimeout(task, 20));

const embedded = (id) => JSON.parse(document.getElementById(id).textContent);

// What the page holds as base64 of gzip of JSON.
async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

class Gallery {
  // At first `data` and `pictures` are of some images only. What is asked for one of them is answered as later.
  constructor(data, pictures) {
    this.data = data;
    this.pictures = pictures;
    this.images = data.images;
    this.runs = data.runs.map((_, run) => run);
    this.isComplete = false;
    this.lengths = [];
  }

  complete(data, otherPictures) {
    this.data = data;
    this.pictures.shown = this.pictures.shown.concat(otherPictures);
    this.indexOf = new Map(data.ids.map((_, image) => [this.address(image), image]));
    this.isComplete = true;
  }

  has(image) {
    return image in this.data.ids;
  }

  // Where two data sets have an image with the same id, the second has an address of its own.
  address(image) {
    return this.data.addresses[image] ?? this.data.ids[image];
  }

  // A function that says whether an image has a text: as id, tag, outcome, error, note, in a caption or reference.
  //
  // A pattern that ignores case needs no copy of all texts in lower case; plain loops take half the time.
  finder(text) {
    const pattern = new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
    const { ids, references, tags, answers } = this.data;
    const found = (names) => names.map((name) => pattern.test(name));
    const [tagsFound, outcomesFound] = [found(this.data.tagNames), found(this.data.outcomes)];
    const notes = answers.flatMap((answer) => Object.values(answer.notes));
    return (image) => {
      for (const reference of references[image]) if (pattern.test(reference)) return true;
      for (const { captions, ended, errors } of answers) {
        const caption = captions[image];
        if (caption === null ? outcomesFound[ended[image]] : pattern.test(caption)) return true;
        if (image in errors && pattern.test(errors[image])) return true;
      }
      for (const texts of notes) if (pattern.test(texts[image])) return true;
      for (const tag of tags[image]) if (tagsFound[tag]) return true;
      return pattern.test(ids[image]);
    };
  }

  // {caption, reference}: the number of words of the longest of each.
  lengthsOf(image) {
    while (this.lengths.length <= image) {
      const index = this.lengths.length;
      const longest = (texts) => texts.reduce((most, text) => Math.max(most, text ? numberOfWords(text) : 0), 0);
      this.lengths.push({
        caption: longest(this.data.answers.map(({ captions }) => captions[index])),
        reference: longest(this.data.references[index]),
      });
    }
    return this.lengths[image];
  }

  // Count words, some images at a time, before the reader asks for long captions.
  prepare() {
    if (this.lengths.length >= this.images) return;
    this.lengthsOf(Math.min(this.images, this.lengths.length + SLICE) - 1);
    whenIdle(() => this.prepare());
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
