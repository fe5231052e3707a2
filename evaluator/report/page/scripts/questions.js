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

  // A function that says whether an image answers a question.
  answers(choice, show) {
    const { gallery } = this;
    const [what, ...rest] = show.split(" ");
    const named = rest.join(" ");
    const anyRun = (holds) => (image) => choice.runs.some((run) => holds(run, image));
    switch (what) {
      case "first": return (image) => gallery.gain(choice, choice.metric, image) > 0;
      case "second": return (image) => gallery.gain(choice, choice.metric, image) < 0;
      case "disagree": return (image) => this.disagree(choice, image);
      case "wrong": return (image) => this.areAllWrong(choice, image);
      case "invented": return anyRun((run, image) => gallery.hasInvented(run, image));
      case "marked": return anyRun((run, image) => this.marks.of(run, image) !== null);
      case "long": return (image) => this.isLong(image);
      case "failed": return anyRun((run, image) => gallery.data.answers[run].ended[image] > 0);
      case "outcome": return anyRun((run, image) => gallery.outcome(run, image) === named);
      case "tag": return (image) => gallery.data.tags[image].includes(Number(named));
      default: return () => true;
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

  // Whether a choice asks nothing of the images that are far down: not even a tint, which depends on all.
  asksNothing({ show, order, search, view }) {
    return show === "all" && order === "data" && !search.trim() && view !== "grid";
  }

  // The indices of the images that match, in order.
  find(choice) {
    const wanted = choice.search.trim();
    const isFound = wanted ? this.gallery.finder(wanted) : () => true;
    const isAsked = this.answers(choice, choice.show);
    const matches = [];
    for (let image = 0; image < this.gallery.images; image++) if (isAsked(image) && isFound(image)) matches.push(image);
    if (choice.order === "data") return matches;
    const keys = new Float64Array(this.gallery.images);
    for (const image of matches) keys[image] = this.key(choice, image) ?? Infinity;
    // Two images without a key differ by NaN.
    return matches.sort((one, other) => keys[one] - keys[other] || one - other);
  }

  // How many images answer a question, whatever is searched for.
  count(choice, show) {
    const isAsked = this.answers(choice, show);
    let count = 0;
    for (let image = 0; image < this.gallery.images; image++) if (isAsked(image)) count++;
    return count;
  }
}
