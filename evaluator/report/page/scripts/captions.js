// Draws what is known of one image: captions with marked words, scores, notes, references, tags.

const MOST_LACKING = 12;

class Captions {
  constructor(gallery, marks) {
    this.gallery = gallery;
    this.marks = marks;
  }

  // The caption with the words marked that no reference, or another text, has; and words that only that text has.
  marked(text, image, choice) {
    const references = this.gallery.data.references[image];
    const ofRun = Number(choice.mark);
    const isRun = !Number.isNaN(ofRun);
    const number = isRun ? -1 : nearest(text, references);
    const other = isRun ? this.gallery.data.answers[ofRun].captions[image] : references[number];
    if (choice.mark === "nothing" || typeof other !== "string") return [isolated(text)];
    const { beyond: beyondOther, lacks } = difference(text, other);
    const beyond = choice.mark === "references" ? inNone(text, references) : beyondOther;
    const parts = [];
    let last = 0;
    for (const [start, end] of beyond) {
      parts.push(text.slice(last, start), make("mark", "", text.slice(start, end)));
      last = end;
    }
    parts.push(text.slice(last));
    const shown = [make("bdi", "", ...parts.filter((part) => part !== ""))];
    if (choice.mark !== "references" && lacks.length && (!isRun || other !== text)) {
      const words = lacks.slice(0, MOST_LACKING).join(", ");
      const more = lacks.length > MOST_LACKING ? ", …" : "";
      const whose = isRun ? this.gallery.data.runs[ofRun] : `reference ${number + 1}`;
      shown.push(make("small", "lacks", isolated(whose), " also says ", isolated(words), more));
    }
    return shown;
  }

  // The caption, or why there is none.
  caption(run, image, choice) {
    const { captions, errors } = this.gallery.data.answers[run];
    const text = captions[image];
    if (text === null) {
      const failure = make("span", "failure", make("span", "chip", this.gallery.outcome(run, image)));
      if (errors[image]) failure.append(" ", isolated(errors[image]));
      return failure;
    }
    return text.trim()
      ? make("span", "caption", ...this.marked(text, image, choice))
      : make("span", "nothing", "an empty caption");
  }

  // A score of one caption; `best` is bold.
  score(run, metric, image, best) {
    const score = this.gallery.score(run, metric, image);
    const name = this.gallery.data.metrics[metric];
    const cell = make("span", "number", isolated(name, "metric-name"), " ");
    if (score === null) cell.append(make("span", "unseen", "not computed"), make("span", "dash", "–"));
    else cell.append(metric === 0 && score === best ? make("b", "", inPoints(score)) : inPoints(score));
    return cell;
  }

  scores(run, image, best, choice) {
    const hasCaption = this.gallery.data.answers[run].captions[image] !== null;
    const shown = hasCaption ? choice.scores : [];
    return make("span", "numbers", ...shown.map((metric) => this.score(run, metric, image, best)));
  }

  notes(run, image) {
    const notes = this.gallery.notes(run, image);
    return notes.map(([metric, text]) => make("small", "note", isolated(metric), ": ", isolated(text)));
  }

  // What the reader thought of the caption, as a sign.
  mark(run, image) {
    const mark = this.marks.of(run, image);
    if (!mark) return [];
    const shown = make("span", `hand ${mark.mark}`, { good: "good", bad: "bad" }[mark.mark] ?? "note");
    if (mark.note) shown.append(": ", isolated(mark.note));
    return [shown];
  }

  // One line of a list: name, caption, notes, scores.
  answer(run, image, best, choice) {
    const said = make("span", "said", this.caption(run, image, choice), ...this.notes(run, image), ...this.mark(run, image));
    return make("li", colourOf(run), make("span", "label", runName(this.gallery, run)), said, this.scores(run, image, best, choice));
  }

  answers(image, choice) {
    const best = this.gallery.bestScore(choice.runs, image);
    return make("ul", "answers", ...choice.runs.map((run) => this.answer(run, image, best, choice)));
  }

  references(image) {
    const texts = this.gallery.data.references[image];
    const heading = `${texts.length || "No"} reference${texts.length === 1 ? "" : "s"}`;
    const made = make("div", "references", make("p", "small-head", heading));
    if (texts.length) made.append(make("ol", "", ...texts.map((text) => make("li", "", isolated(text)))));
    return made;
  }

  // Why there is no picture, tags, and by how much one run is better.
  facts(image, choice) {
    const { noPicture, tags, tagNames, metrics } = this.gallery.data;
    const facts = [];
    if (noPicture[image]) facts.push(make("span", "", noPicture[image]));
    if (tags[image].length) facts.push(make("span", "tags", isolated(tags[image].map((tag) => tagNames[tag]).join(", "))));
    const { one, other, metric } = choice;
    const gain = ["gain", "loss"].includes(choice.order) ? this.gallery.difference(one, other, metric, image) : null;
    if (gain !== null) {
      facts.push(make("span", "gain", isolated(metrics[metric]), ` ${signed(gain)}: `, runName(this.gallery, one), " against ", runName(this.gallery, other)));
    }
    return facts;
  }

  // The id of an image as a link to it.
  link(image) {
    const link = make("a", "", isolated(this.gallery.data.ids[image]));
    link.href = `#image=${encodeURIComponent(this.gallery.address(image))}`;
    link.dataset.image = image;
    return link;
  }
}
