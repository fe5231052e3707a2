// Which images answer a question, and in which order. Nothing here draws.
//
// A choice is what the reader chose: {show, order, search, one, other, metric, runs, ...}; `runs` are those that
// are not hidden.

const WEAKEST = 0.1; // the share of the images that count as wrong in all runs

class Questions {
  constructor(gallery, marks) {
    this.gallery = gallery;
    this.marks = marks;
  }

  // Metrics disagree where one prefers the first run and another metric the other run.
  disagree({ one, other }, image) {
    const { data } = this.gallery;
    let [ahead, behind] = [false, false];
    for (let metric = 0; metric < data.metrics.length; metric++) {
      const difference = this.gallery.difference(one, other, metric, image) * data.better[metric];
      if (difference > 0) ahead = true;
      if (difference < 0) behind = true;
    }
    return ahead && behind;
  }

  // The score, turned so that higher is better, up to which even the best caption of an image counts as wrong.
  weakest({ runs, metric }) {
    const key = `${metric}:${runs}`;
    if (this.weakestOf?.key !== key) {
      const best = [];
      for (let image = 0; image < this.gallery.images; image++) {
        const found = this.gallery.extremes(runs, metric, image);
        if (found) best.push(found.high);
      }
      const sorted = Float64Array.from(best).sort();
      this.weakestOf = { key, limit: sorted.at(Math.floor(WEAKEST * (sorted.length - 1))) };
    }
    return this.weakestOf.limit;
  }

  areAllWrong(choice, image) {
    const best = this.gallery.extremes(choice.runs, choice.metric, image);
    if (best) return best.high <= this.weakest(choice);
    return choice.runs.every((run) => this.gallery.data.answers[run].captions[image] === null);
  }

  isLong(image) {
    const { caption, reference } = this.gallery.lengthsOf(image);
    return reference > 0 && caption > reference;
  }

  isShown(choice, image) {
    const { data } = this.gallery;
    const [what, ...rest] = choice.show.split(" ");
    const anyRun = (holds) => choice.runs.some(holds);
    switch (what) {
      case "first": return this.gallery.gain(choice, choice.metric, image) > 0;
      case "second": return this.gallery.gain(choice, choice.metric, image) < 0;
      case "disagree": return this.disagree(choice, image);
      case "wrong": return this.areAllWrong(choice, image);
      case "invented": return anyRun((run) => this.gallery.hasInvented(run, image));
      case "marked": return anyRun((run) => this.marks.of(run, image) !== null);
      case "long": return this.isLong(image);
      case "failed": return anyRun((run) => data.answers[run].ended[image] > 0);
      case "outcome": return anyRun((run) => this.gallery.outcome(run, image) === rest.join(" "));
      case "tag": return data.tags[image].includes(Number(rest[0]));
      default: return true;
    }
  }

  // Images with small keys come first, images without a key last.
  key(choice, image) {
    const { order, metric, runs } = choice;
    const gain = () => this.gallery.gain(choice, metric, image);
    const found = () => this.gallery.extremes(runs, metric, image);
    switch (order) {
      case "gain": {
        const gained = gain();
        return gained === null ? null : -gained;
      }
      case "loss": return gain();
      case "worst": return found()?.low ?? null;
      case "easiest": return found()?.high ?? -Infinity;
      case "spread": {
        const both = found();
        return both?.several ? both.low - both.high : null;
      }
      case "length": return -this.gallery.lengthsOf(image).caption;
      default: return image;
    }
  }

  // The indices of the images that match, in order.
  find(choice) {
    const wanted = choice.search.trim();
    const isFound = wanted ? this.gallery.finder(wanted) : () => true;
    const matches = [];
    for (let image = 0; image < this.gallery.images; image++) {
      if (this.isShown(choice, image) && isFound(image)) matches.push(image);
    }
    if (choice.order === "data") return matches;
    const keys = new Float64Array(this.gallery.images);
    for (const image of matches) keys[image] = this.key(choice, image) ?? Infinity;
    // Two images without a key differ by NaN.
    return matches.sort((one, other) => keys[one] - keys[other] || one - other);
  }

  // How many images answer a question, whatever is searched for.
  count(choice, show) {
    let count = 0;
    for (let image = 0; image < this.gallery.images; image++) if (this.isShown({ ...choice, show }, image)) count++;
    return count;
  }
}
