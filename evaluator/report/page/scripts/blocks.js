// A long list of which only the part near the screen exists: blocks far from it are empty but keep their height.
//
// A view says how its blocks look: {element(), size, height, block(), item(image, number, count), spacer(pixels)}.
// The list begins as large empty sections, since thousands of blocks would take long to lay out; a section that
// comes near the screen is cut into blocks.

// Blocks this close to the screen are drawn ahead.
const AHEAD = "1200px";
const SECTION = 40; // blocks
const PRINTED = 20; // images, and those that share a block with them

class BlockList {
  constructor(place, gallery) {
    [this.place, this.gallery] = [place, gallery];
    this.blocks = []; // and sections, in the order of the page
  }

  show(matches, choice, view) {
    this.watcher?.disconnect();
    [this.matches, this.choice, this.view] = [matches, choice, view];
    this.height = view.height; // of an item, a guess until some are drawn
    const { outer, inner } = view.element(choice);
    this.watcher = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => (isIntersecting ? this.fill(target) : this.empty(target))),
      { root: view.scrolls ? outer : null, rootMargin: `${AHEAD} 0px` },
    );
    this.blocks = this.cut(0, matches.length, SECTION * view.size);
    inner.append(...this.blocks);
    this.place.replaceChildren(matches.length ? outer : make("p", "none", "No image matches."));
    if (matches.length) this.fill(this.blockOf(0));
  }

  // Draw what was not there before.
  complete() {
    this.blocks.forEach((block) => {
      this.watcher.unobserve(block);
      this.watcher.observe(block); // it tells where each block is
    });
  }

  // Empty blocks of at most so many matches each, from the first to before the end.
  cut(first, end, size) {
    const blocks = [];
    for (let start = first; start < end; start += size) {
      const block = this.view.block();
      [block.dataset.first, block.dataset.end] = [start, Math.min(start + size, end)];
      this.reserve(block);
      this.watcher.observe(block);
      blocks.push(block);
    }
    return blocks;
  }

  range({ dataset }) {
    return [Number(dataset.first), Number(dataset.end)];
  }

  isSection(block) {
    const [first, end] = this.range(block);
    return end - first > this.view.size;
  }

  split(section) {
    const place = this.blocks.indexOf(section);
    if (place < 0) return; // the watcher told it late
    const blocks = this.cut(...this.range(section), this.view.size);
    this.watcher.unobserve(section);
    section.replaceWith(...blocks);
    this.blocks.splice(place, 1, ...blocks);
  }

  // The block of a match, by its place among the matches; undefined before the first and after the last.
  blockOf(index) {
    const find = () =>
      this.blocks.find((block) => {
        const [first, end] = this.range(block);
        return first <= index && index < end;
      });
    const found = find();
    if (!found || !this.isSection(found)) return found;
    this.split(found);
    return find();
  }

  reserve(block) {
    const [first, end] = this.range(block);
    delete block.dataset.drawn;
    block.replaceChildren(this.view.spacer(block.dataset.seen ?? (end - first) * this.height));
  }

  fill(block) {
    if (block.dataset.drawn) return;
    if (this.isSection(block)) {
      this.split(block);
      return;
    }
    const [first, end] = this.range(block);
    const images = this.matches.slice(first, end);
    if (!images.every((image) => this.gallery.has(image))) return;
    block.dataset.drawn = "yes";
    block.replaceChildren(...images.map((image, index) => this.view.item(image, this.choice, first + index, this.matches.length)));
  }

  empty(block) {
    // The first block stays, so that the list is never empty.
    if (block === this.blocks[0] || !block.dataset.drawn || block.contains(document.activeElement)) return;
    block.dataset.seen = block.offsetHeight;
    const [first, end] = this.range(block);
    this.height = block.offsetHeight / (end - first);
    this.reserve(block);
  }

  // The element of an image that matches; the blocks around it are drawn first, since that moves it.
  itemOf(image) {
    const index = this.matches.indexOf(image);
    if (index < 0) return null;
    const near = [index - this.view.size, index + this.view.size, index].map((each) => this.blockOf(each));
    near.forEach((block) => block && this.fill(block));
    return this.drawn(index);
  }

  // The element of a match, undefined where it is not drawn.
  drawn(index) {
    const block = this.blocks.find((each) => each.dataset.drawn && each.dataset.first <= index && index < each.dataset.end);
    return block?.children[index - block.dataset.first];
  }

  reveal(image) {
    const item = this.itemOf(image);
    item?.scrollIntoView({ block: "nearest" });
    item?.querySelector(".opener, a")?.focus({ preventScroll: true });
  }

  // Draw an image again, if it is drawn.
  refresh(image) {
    const index = this.matches.indexOf(image);
    this.drawn(index)?.replaceWith(this.view.item(image, this.choice, index, this.matches.length));
  }

  // Only the first images are printed.
  print() {
    const last = this.matches.length ? this.blockOf(Math.min(PRINTED, this.matches.length) - 1) : null;
    if (last) this.fill(last);
    const printed = this.blocks.indexOf(last) + 1;
    this.blocks.slice(printed).forEach((block) => (block.hidden = true));
    const left = this.matches.length - (last ? this.range(last)[1] : 0);
    if (left > 0) this.place.append(make("p", "more", `and ${left.toLocaleString("en")} more images on the page itself`));
  }

  printed() {
    this.blocks.forEach((block) => (block.hidden = false));
    this.place.querySelector(".more")?.remove();
  }
}
