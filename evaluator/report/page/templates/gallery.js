// The gallery: filters and orders all images, and draws those that are on the screen.

// How many cards are drawn and removed together.
const BLOCK = 20;
// Cards this close to the screen are drawn ahead.
const AHEAD = "1200px";
// How many texts at a time are prepared for searching while the reader looks at the page.
const SLICE = 500;
const MOST_LACKING = 12;

// The data that the page holds as base64 of gzip of JSON.
async function unpacked(element) {
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function make(tag, kind, ...children) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

const inPoints = (hundredths) => (hundredths / 100).toFixed(1);
const isolated = (text, kind = "") => make("bdi", kind, text);

// The name of a run, which may be broken into lines behind its joints.
function runName(label) {
  const parts = label.split(/(?<=[_./-])/);
  return make("bdi", "", ...parts.flatMap((part) => [part, document.createElement("wbr")]));
}

class Gallery {
  constructor(data, pictures) {
    this.data = data;
    this.pictures = pictures;
    this.images = data.ids.length;
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
      for (const { captions, ended, errors } of this.data.answers) {
        parts.push(captions[index] ?? this.data.outcomes[ended[index]] ?? "", errors[index] ?? "");
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

  score(run, metric, image) {
    return this.data.answers[run].scores[metric]?.[image] ?? null;
  }

  // One run's score minus another's; null where either has none.
  difference({ one, other, metric }, image) {
    const [ours, theirs] = [this.score(one, metric, image), this.score(other, metric, image)];
    return ours === null || theirs === null ? null : ours - theirs;
  }

  // The same, above zero where the first run is better.
  gain(choice, image) {
    const difference = this.difference(choice, image);
    return difference === null ? null : difference * this.data.better[choice.metric];
  }

  // The scores of all runs that have one, turned so that higher is better.
  oriented(metric, image) {
    const scores = this.data.answers.map((_, run) => this.score(run, metric, image));
    return scores.filter((score) => score !== null).map((score) => score * this.data.better[metric]);
  }

  longerThanAnyReference(image) {
    const { caption, reference } = this.lengthsOf(image);
    return reference > 0 && caption > reference;
  }

  hasEnded(image, outcome) {
    return this.data.answers.some(({ ended }) => this.data.outcomes[ended[image]] === outcome);
  }

  // Metrics disagree where one metric prefers the first run and another metric the other run.
  disagree(choice, image) {
    const signs = this.data.metrics.map((_, metric) => Math.sign(this.gain({ ...choice, metric }, image) ?? 0));
    return signs.includes(1) && signs.includes(-1);
  }

  isShown(choice, image) {
    const [what, ...rest] = choice.show.split(" ");
    switch (what) {
      case "disagree": return this.disagree(choice, image);
      case "long": return this.longerThanAnyReference(image);
      case "failed": return this.data.answers.some(({ ended }) => ended[image] > 0);
      case "outcome": return this.hasEnded(image, rest.join(" "));
      case "tag": return this.data.tags[image].includes(Number(rest[0]));
      default: return true;
    }
  }

  // Images with small keys come first, images without a key last.
  key(choice, image) {
    const { order, metric } = choice;
    const gain = ["gain", "loss"].includes(order) ? this.gain(choice, image) : null;
    const oriented = ["worst", "spread"].includes(order) ? this.oriented(metric, image) : [];
    switch (order) {
      case "gain": return gain === null ? null : -gain;
      case "loss": return gain;
      case "worst": return oriented.length ? Math.min(...oriented) : null;
      case "spread": return oriented.length > 1 ? Math.min(...oriented) - Math.max(...oriented) : null;
      case "length": return -this.lengthsOf(image).caption;
      default: return image;
    }
  }

  // The indices of the images that match, in order.
  find(choice) {
    const wanted = choice.search.trim().toLowerCase();
    const matches = [];
    for (let image = 0; image < this.images; image++) {
      if (this.isShown(choice, image) && (!wanted || this.textOf(image).includes(wanted))) matches.push(image);
    }
    if (choice.order === "data") return matches;
    const keys = new Map(matches.map((image) => [image, this.key(choice, image) ?? Infinity]));
    return matches.sort((one, other) => keys.get(one) - keys.get(other) || one - other);
  }

  picture(image) {
    const number = this.data.pictures[image];
    if (number < 0) return document.getElementById("no-picture").content.cloneNode(true);
    const shown = make("img");
    const { folder, shown: all } = this.pictures;
    shown.src = folder ? `${encodeURIComponent(folder)}/${all[number]}` : `data:image/jpeg;base64,${all[number]}`;
    shown.alt = `Image ${this.data.ids[image]}`;
    shown.decoding = "async";
    return shown;
  }

  // The caption with the words marked that no reference, or another text, has; and words that only that text has.
  caption(text, image, choice) {
    const references = this.data.references[image];
    const ofRun = Number(choice.mark);
    const isRun = !Number.isNaN(ofRun);
    const number = isRun ? -1 : nearest(text, references);
    const other = isRun ? this.data.answers[ofRun].captions[image] : references[number];
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
    if (lacks.length && (!isRun || other !== text)) {
      const words = lacks.slice(0, MOST_LACKING).join(", ");
      const more = lacks.length > MOST_LACKING ? ", …" : "";
      const whose = isRun ? this.data.runs[ofRun] : `reference ${number + 1}`;
      shown.push(make("small", "lacks", isolated(whose), " also says ", isolated(words), more));
    }
    return shown;
  }

  outcome(run, image) {
    const { ended } = this.data.answers[run];
    return ended[image] < 0 ? "not in this run" : this.data.outcomes[ended[image]];
  }

  answer(run, image, best, choice) {
    const { captions, errors } = this.data.answers[run];
    const line = make("li", "", make("span", "label", runName(this.data.runs[run])));
    const text = captions[image];
    if (text === null) {
      const failure = make("span", "failure", make("span", "chip", this.outcome(run, image)));
      if (errors[image]) failure.append(" ", isolated(errors[image]));
      line.append(failure);
      return line;
    }
    line.append(
      text.trim()
        ? make("span", "caption", ...this.caption(text, image, choice))
        : make("span", "nothing", "an empty caption"),
    );
    this.data.metrics.slice(0, this.data.columns).forEach((metric, number) => {
      const score = this.score(run, number, image);
      const cell = make("span", "number", make("span", "unseen", `${metric} `));
      if (score === null) {
        cell.append(make("span", "unseen", "not computed"), make("span", "dash", "–"));
        cell.lastChild.setAttribute("aria-hidden", "true");
      } else {
        cell.append(number === 0 && score === best ? make("b", "", inPoints(score)) : inPoints(score));
      }
      line.append(cell);
    });
    return line;
  }

  // One image, the `number`th of `count` in the order that is shown.
  card(image, choice, number, count) {
    const { ids, references, tags, tagNames, noPicture, runs, metrics, better, marked } = this.data;
    const link = make("a", "", isolated(ids[image]));
    link.href = `#image=${encodeURIComponent(this.addresses[image])}`;
    const heading = make("h3", "", link);
    heading.id = `image-${image}`;
    const notes = make("figcaption", "", heading);
    if (noPicture[image]) notes.append(make("span", "", noPicture[image]));
    if (tags[image].length) notes.append(make("span", "tags", isolated(tags[image].map((tag) => tagNames[tag]).join(", "))));
    const gain = ["gain", "loss"].includes(choice.order) ? this.difference(choice, image) : null;
    if (gain !== null) {
      const amount = `${gain < 0 ? "−" : "+"}${inPoints(Math.abs(gain))}`;
      notes.append(make("span", "gain", `${metrics[choice.metric]} ${amount} against `, runName(runs[choice.other])));
    }
    const lists = references[image].map((text) => make("li", "", isolated(text)));
    const referenceCount = references[image].length;
    const listOfReferences = make("div", "references", make("h4", "", `${referenceCount || "No"} reference${referenceCount === 1 ? "" : "s"}`));
    if (referenceCount) listOfReferences.append(make("ol", "", ...lists));
    const heads = make("div", "heads", make("span", "", runs.length > 1 ? "Captions" : "Caption"));
    metrics.slice(0, this.data.columns).forEach((metric) => heads.append(make("span", "number", isolated(metric))));
    heads.setAttribute("aria-hidden", "true");
    const oriented = marked ? this.oriented(0, image) : [];
    const best = oriented.length > 1 ? Math.max(...oriented) * better[0] : null;
    const answers = make("ul", "", ...runs.map((_, run) => this.answer(run, image, best, choice)));
    const made = make(
      "article", "card", make("figure", "", this.picture(image), notes), listOfReferences, make("div", "answers", heads, answers),
    );
    made.tabIndex = -1;
    made.setAttribute("aria-labelledby", heading.id);
    made.setAttribute("aria-posinset", number + 1);
    made.setAttribute("aria-setsize", count);
    return made;
  }
}

// The list on the page. Blocks of cards far from the screen are empty but keep their height.
class CardList {
  constructor(gallery, element) {
    this.gallery = gallery;
    this.element = element;
    this.height = 260; // of a card, a guess until one is drawn
    this.watcher = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => (isIntersecting ? this.fill(target) : this.empty(target))),
      { rootMargin: `${AHEAD} 0px` },
    );
  }

  show(matches, choice) {
    this.watcher.disconnect();
    [this.matches, this.choice] = [matches, choice];
    this.blocks = Array.from({ length: Math.ceil(matches.length / BLOCK) }, (_, number) => {
      const block = make("div", "block");
      block.dataset.number = number;
      this.reserve(block);
      return block;
    });
    this.element.replaceChildren(...this.blocks);
    if (this.blocks.length) this.fill(this.blocks[0]);
    else this.element.append(make("p", "none", "No image matches."));
    this.blocks.forEach((block) => this.watcher.observe(block));
  }

  reserve(block) {
    const cards = Math.min(BLOCK, this.matches.length - BLOCK * block.dataset.number);
    block.style.height = `${block.dataset.seen ?? cards * this.height}px`;
  }

  fill(block) {
    if (block.childElementCount) return;
    const first = BLOCK * block.dataset.number;
    const images = this.matches.slice(first, first + BLOCK);
    const count = this.matches.length;
    block.append(...images.map((image, index) => this.gallery.card(image, this.choice, first + index, count)));
    block.style.height = "";
  }

  empty(block) {
    // The first block stays, so that the list is never empty.
    if (block === this.blocks[0] || !block.childElementCount || block.contains(document.activeElement)) return;
    block.dataset.seen = block.offsetHeight;
    this.height = block.offsetHeight / block.childElementCount;
    block.replaceChildren();
    this.reserve(block);
  }

  // Scroll to an image that matches. The blocks around it are drawn first, since that moves it.
  reveal(image) {
    const index = this.matches.indexOf(image);
    const number = Math.floor(index / BLOCK);
    this.blocks.slice(Math.max(0, number - 1), number + 2).forEach((block) => this.fill(block));
    const card = this.blocks[number].children[index % BLOCK];
    card.scrollIntoView();
    card.focus({ preventScroll: true });
  }

  // Only the first block is printed.
  print() {
    this.blocks.slice(1).forEach((block) => (block.hidden = true));
    const left = this.matches.length - BLOCK;
    if (left > 0) this.element.append(make("p", "more", `and ${left.toLocaleString("en")} more images on the page itself`));
  }

  printed() {
    this.blocks.forEach((block) => (block.hidden = false));
    this.element.querySelector(".more")?.remove();
  }
}

// Connects the controls, the list and the address of the page. Calls `chosen` with every new choice.
//
// The address holds the choice and the image to show: #image=42&order=gain&one=0&other=1.
function startGallery(gallery, form, chosen) {
  const list = new CardList(gallery, document.getElementById("cards"));
  const shown = document.getElementById("shown");
  const numbers = ["one", "other", "metric"];
  // The plot of two runs has some of them too.
  const fields = {
    ...Object.fromEntries(["search", "show", "order", "mark"].map((name) => [name, [document.getElementById(name)]])),
    ...Object.fromEntries(numbers.map((name) => [name, [...document.querySelectorAll(`select.${name}`)]])),
  };
  const value = (name) => fields[name][0]?.value ?? "0";
  const set = (name, wanted) => fields[name].forEach((field) => (field.value = wanted));
  const start = Object.fromEntries(Object.keys(fields).map((name) => [name, value(name)]));
  const addressed = () => new URLSearchParams(location.hash.slice(1));
  let matches = [];

  const find = () => {
    const choice = Object.fromEntries(
      Object.keys(fields).map((name) => [name, numbers.includes(name) ? Number(value(name)) : value(name)]),
    );
    matches = gallery.find(choice);
    const [some, all] = [matches.length, gallery.images].map((count) => count.toLocaleString("en"));
    shown.textContent = some === all ? `${all} shown` : `${some} of ${all} match`;
    list.show(matches, choice);
    chosen(choice);
  };
  const remember = (image) => {
    const kept = new URLSearchParams(image === null ? {} : { image });
    for (const name of Object.keys(fields)) if (value(name) !== start[name]) kept.set(name, value(name));
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  };
  const change = () => {
    find();
    remember(null);
  };
  const reset = () => {
    set("search", "");
    set("show", "all");
    find();
  };
  const follow = () => {
    const wanted = addressed();
    const named = Object.keys(fields).filter((name) => wanted.has(name));
    named.forEach((name) => set(name, wanted.get(name)));
    if (named.length) find();
    const image = gallery.indexOf.get(wanted.get("image"));
    if (image === undefined) return;
    if (!matches.includes(image)) reset();
    list.reveal(image);
  };

  for (const [name, all] of Object.entries(fields)) {
    all.forEach((field) =>
      field.addEventListener(name === "search" ? "input" : "change", () => {
        set(name, field.value);
        change();
      }),
    );
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  document.querySelectorAll("a[data-order]").forEach((link) =>
    link.addEventListener("click", () => {
      for (const name of ["order", "one", "other", "metric"]) set(name, link.dataset[name]);
      reset();
    }),
  );
  list.element.addEventListener("click", (event) => {
    const link = event.target.closest("h3 a");
    if (!link) return;
    event.preventDefault();
    remember(new URLSearchParams(link.hash.slice(1)).get("image"));
    follow();
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("beforeprint", () => list.print());
  window.addEventListener("afterprint", () => list.printed());
  // Controls that stay at the top of the screen must not cover the image that was scrolled to.
  new ResizeObserver(() => {
    const height = getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
    document.documentElement.style.setProperty("--controls", `${height}px`);
  }).observe(form);
  form.hidden = false;
  find(); // after a reload a browser keeps what was typed
  follow();
  setTimeout(() => gallery.prepare());
  return { show: (image) => (remember(gallery.addresses[image]), follow()) };
}
