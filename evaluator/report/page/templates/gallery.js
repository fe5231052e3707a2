// The gallery: finds and orders images among all of them, and draws those that are on the screen.

// Cards that are drawn and put away together.
const BLOCK = 20;
// Cards within this of the screen are drawn already, in CSS pixels.
const AHEAD = "1200px";
// Texts are made ready for searching so many at a time, while the reader looks at the page.
const SLICE = 500;
const MOST_LACKING = 12;

// What the page holds packed: base64 of gzip of JSON.
async function unpacked(element) {
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
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

// A name of a run, which may go on in the next line behind its joints.
function named(label) {
  const parts = label.split(/(?<=[_./-])/);
  return make("bdi", "", ...parts.flatMap((part) => [part, document.createElement("wbr")]));
}

class Gallery {
  constructor(data, pictures) {
    this.data = data;
    this.pictures = pictures;
    this.images = data.ids.length;
    // Of two images of one id, in several data sets, the second has an address of its own.
    this.place = new Map();
    this.addresses = data.ids.map((id, place) => {
      const address = this.place.has(id) ? `${id}~${place}` : id;
      this.place.set(address, place);
      return address;
    });
    this.texts = [];
    this.lengths = [];
  }

  // Everything that a search looks at.
  textOf(image) {
    while (this.texts.length <= image) {
      const place = this.texts.length;
      const parts = [this.data.ids[place], ...this.data.references[place]];
      for (const tag of this.data.tags[place]) parts.push(this.data.tagNames[tag]);
      for (const { captions, ended, errors } of this.data.answers) {
        parts.push(captions[place] ?? this.data.outcomes[ended[place]] ?? "", errors[place] ?? "");
      }
      this.texts.push(parts.join("\n").toLowerCase());
    }
    return this.texts[image];
  }

  // {caption, reference}: the words of the longest of each.
  lengthsOf(image) {
    while (this.lengths.length <= image) {
      const place = this.lengths.length;
      const longest = (texts) => Math.max(0, ...texts.map((text) => text?.match(WORD)?.length ?? 0));
      this.lengths.push({
        caption: longest(this.data.answers.map(({ captions }) => captions[place])),
        reference: longest(this.data.references[place]),
      });
    }
    return this.lengths[image];
  }

  // What searching and filtering need of every image, some at a time.
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

  // The same, above zero where the one run is better.
  gain(choice, image) {
    const difference = this.difference(choice, image);
    return difference === null ? null : difference * this.data.better[choice.metric];
  }

  // The scores of all runs that have one, each the higher the better.
  goods(metric, image) {
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

  // Two metrics disagree where one prefers the one run and another the other.
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

  // Small values come first, what has none last.
  key(choice, image) {
    const { order, metric } = choice;
    const gain = ["gain", "loss"].includes(order) ? this.gain(choice, image) : null;
    const goods = ["worst", "spread"].includes(order) ? this.goods(metric, image) : [];
    switch (order) {
      case "gain": return gain === null ? null : -gain;
      case "loss": return gain;
      case "worst": return goods.length ? Math.min(...goods) : null;
      case "spread": return goods.length > 1 ? Math.min(...goods) - Math.max(...goods) : null;
      case "length": return -this.lengthsOf(image).caption;
      default: return image;
    }
  }

  // The places of the images that match, in order.
  find(choice) {
    const wanted = choice.search.trim().toLowerCase();
    const found = [];
    for (let image = 0; image < this.images; image++) {
      if (this.isShown(choice, image) && (!wanted || this.textOf(image).includes(wanted))) found.push(image);
    }
    if (choice.order === "data") return found;
    const keys = new Map(found.map((image) => [image, this.key(choice, image) ?? Infinity]));
    return found.sort((one, other) => keys.get(one) - keys.get(other) || one - other);
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

  // The caption with its words beyond another text marked, and what it lacks of that text.
  caption(text, image, choice) {
    const references = this.data.references[image];
    const ofRun = Number(choice.mark);
    const isRun = !Number.isNaN(ofRun);
    const number = isRun ? -1 : nearest(text, references);
    const other = isRun ? this.data.answers[ofRun].captions[image] : references[number];
    if (choice.mark === "nothing" || typeof other !== "string") return [isolated(text)];
    const found = difference(text, other);
    const parts = [];
    let last = 0;
    for (const [start, end] of found.beyond) {
      parts.push(text.slice(last, start), make("mark", "", text.slice(start, end)));
      last = end;
    }
    parts.push(text.slice(last));
    const said = [make("bdi", "", ...parts.filter((part) => part !== ""))];
    if (found.lacks.length && (!isRun || other !== text)) {
      const shown = found.lacks.slice(0, MOST_LACKING).join(", ");
      const more = found.lacks.length > MOST_LACKING ? ", …" : "";
      const whose = isRun ? this.data.runs[ofRun] : `reference ${number + 1}`;
      said.push(make("small", "lacks", isolated(whose), " also says ", isolated(shown), more));
    }
    return said;
  }

  outcome(run, image) {
    const { ended } = this.data.answers[run];
    return ended[image] < 0 ? "not in this run" : this.data.outcomes[ended[image]];
  }

  answer(run, image, best, choice) {
    const { captions, errors } = this.data.answers[run];
    const line = make("li", "", make("span", "label", named(this.data.runs[run])));
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

  // One image; `number` of `count` in the order that is shown.
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
      notes.append(make("span", "gain", `${metrics[choice.metric]} ${amount} on `, named(runs[choice.other])));
    }
    const lists = references[image].map((text) => make("li", "", isolated(text)));
    const count_ = references[image].length;
    const theirs = make("div", "references", make("h4", "", `${count_ || "No"} reference${count_ === 1 ? "" : "s"}`));
    if (count_) theirs.append(make("ol", "", ...lists));
    const heads = make("div", "heads", make("span", "", runs.length > 1 ? "Captions" : "Caption"));
    metrics.slice(0, this.data.columns).forEach((metric) => heads.append(make("span", "number", isolated(metric))));
    heads.setAttribute("aria-hidden", "true");
    const goods = marked ? this.goods(0, image) : [];
    const best = goods.length > 1 ? Math.max(...goods) * better[0] : null;
    const said = make("ul", "", ...runs.map((_, run) => this.answer(run, image, best, choice)));
    const made = make(
      "article", "card", make("figure", "", this.picture(image), notes), theirs, make("div", "answers", heads, said),
    );
    made.tabIndex = -1;
    made.setAttribute("aria-labelledby", heading.id);
    made.setAttribute("aria-posinset", number + 1);
    made.setAttribute("aria-setsize", count);
    return made;
  }
}

// The list on the page. Blocks of cards far from the screen are empty and as high as they were.
class CardList {
  constructor(gallery, element) {
    this.gallery = gallery;
    this.element = element;
    this.height = 260; // of a card, as guessed before one was seen
    this.watcher = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => (isIntersecting ? this.fill(target) : this.empty(target))),
      { rootMargin: `${AHEAD} 0px` },
    );
  }

  show(found, choice) {
    this.watcher.disconnect();
    [this.found, this.choice] = [found, choice];
    this.blocks = Array.from({ length: Math.ceil(found.length / BLOCK) }, (_, number) => {
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
    const cards = Math.min(BLOCK, this.found.length - BLOCK * block.dataset.number);
    block.style.height = `${block.dataset.seen ?? cards * this.height}px`;
  }

  fill(block) {
    if (block.childElementCount) return;
    const first = BLOCK * block.dataset.number;
    const images = this.found.slice(first, first + BLOCK);
    const count = this.found.length;
    block.append(...images.map((image, place) => this.gallery.card(image, this.choice, first + place, count)));
    block.style.height = "";
  }

  empty(block) {
    // The first stays: the list is never empty, whoever looks at it.
    if (block === this.blocks[0] || !block.childElementCount || block.contains(document.activeElement)) return;
    block.dataset.seen = block.offsetHeight;
    this.height = block.offsetHeight / block.childElementCount;
    block.replaceChildren();
    this.reserve(block);
  }

  // Bring an image that is among those found onto the screen; the blocks around it first, which moves it.
  reveal(image) {
    const place = this.found.indexOf(image);
    const number = Math.floor(place / BLOCK);
    this.blocks.slice(Math.max(0, number - 1), number + 2).forEach((block) => this.fill(block));
    const card = this.blocks[number].children[place % BLOCK];
    card.scrollIntoView();
    card.focus({ preventScroll: true });
  }

  // On paper only the first of what is found.
  print() {
    this.blocks.slice(1).forEach((block) => (block.hidden = true));
    const left = this.found.length - BLOCK;
    if (left > 0) this.element.append(make("p", "more", `and ${left.toLocaleString("en")} more images on the page itself`));
  }

  printed() {
    this.blocks.forEach((block) => (block.hidden = false));
    this.element.querySelector(".more")?.remove();
  }
}

// Ties the controls, the list and the address of the page together. Calls `chosen` with every new choice.
//
// The address holds what was chosen and the image that was asked for: #image=42&order=gain&one=0&other=1.
function startGallery(gallery, form, chosen) {
  const list = new CardList(gallery, document.getElementById("cards"));
  const shown = document.getElementById("shown");
  const numbers = ["one", "other", "metric"];
  // Some stand at the plot of two runs too.
  const fields = {
    ...Object.fromEntries(["search", "show", "order", "mark"].map((name) => [name, [document.getElementById(name)]])),
    ...Object.fromEntries(numbers.map((name) => [name, [...document.querySelectorAll(`select.${name}`)]])),
  };
  const value = (name) => fields[name][0]?.value ?? "0";
  const set = (name, wanted) => fields[name].forEach((field) => (field.value = wanted));
  const start = Object.fromEntries(Object.keys(fields).map((name) => [name, value(name)]));
  const asked = () => new URLSearchParams(location.hash.slice(1));
  let found = [];

  const find = () => {
    const choice = Object.fromEntries(
      Object.keys(fields).map((name) => [name, numbers.includes(name) ? Number(value(name)) : value(name)]),
    );
    found = gallery.find(choice);
    const [some, all] = [found.length, gallery.images].map((count) => count.toLocaleString("en"));
    shown.textContent = some === all ? `${all} shown` : `${some} of ${all} match`;
    list.show(found, choice);
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
    const wanted = asked();
    const named = Object.keys(fields).filter((name) => wanted.has(name));
    named.forEach((name) => set(name, wanted.get(name)));
    if (named.length) find();
    const image = gallery.place.get(wanted.get("image"));
    if (image === undefined) return;
    if (!found.includes(image)) reset();
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
  // What stays at the top of the screen must not lie over the image that was asked for.
  new ResizeObserver(() => {
    const height = getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
    document.documentElement.style.setProperty("--controls", `${height}px`);
  }).observe(form);
  form.hidden = false;
  find(); // a browser keeps what was typed over a reload
  follow();
  setTimeout(() => gallery.prepare());
  return { show: (image) => (remember(gallery.addresses[image]), follow()) };
}
