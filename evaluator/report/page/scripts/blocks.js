// A long list of which only the part near the screen exists: blocks far from it are empty but keep their height.
//
// A view says how its blocks look: {element(), size, height, block(), item(image, number, count), spacer(pixels)}.

// Blocks this close to the screen are drawn ahead.
const AHEAD = "1200px";

class BlockList {
  constructor(place) {
    this.place = place;
    this.blocks = [];
    this.shown = "";
  }

  show(matches, choice, view) {
    this.watcher?.disconnect();
    [this.matches, this.choice, this.view] = [matches, choice, view];
    this.height = view.height; // of an item, a guess until some are drawn
    const { outer, inner } = view.element(choice);
    this.outer = outer;
    this.blocks = Array.from({ length: Math.ceil(matches.length / view.size) }, (_, number) => {
      const block = view.block();
      block.dataset.number = number;
      this.reserve(block);
      return block;
    });
    inner.append(...this.blocks);
    this.place.replaceChildren(outer);
    if (this.blocks.length) this.fill(this.blocks[0]);
    else this.place.replaceChildren(make("p", "none", "No image matches."));
    this.watcher = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => (isIntersecting ? this.fill(target) : this.empty(target))),
      { root: view.scrolls ? outer : null, rootMargin: `${AHEAD} 0px` },
    );
    this.blocks.forEach((block) => this.watcher.observe(block));
  }

  range(block) {
    const first = this.view.size * block.dataset.number;
    return [first, Math.min(first + this.view.size, this.matches.length)];
  }

  reserve(block) {
    const [first, end] = this.range(block);
    delete block.dataset.drawn;
    block.replaceChildren(this.view.spacer(block.dataset.seen ?? (end - first) * this.height));
  }

  fill(block) {
    if (block.dataset.drawn) return;
    const [first, end] = this.range(block);
    const images = this.matches.slice(first, end);
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
    const number = Math.floor(index / this.view.size);
    this.blocks.slice(Math.max(0, number - 1), number + 2).forEach((block) => this.fill(block));
    return this.blocks[number].children[index % this.view.size];
  }

  reveal(image) {
    const item = this.itemOf(image);
    item?.scrollIntoView({ block: "nearest" });
    item?.querySelector(".opener, a")?.focus({ preventScroll: true });
  }

  // Draw an image again, if it is drawn.
  refresh(image) {
    const index = this.matches.indexOf(image);
    const block = this.blocks[Math.floor(index / this.view.size)];
    if (index < 0 || !block.dataset.drawn) return;
    block.children[index % this.view.size].replaceWith(this.view.item(image, this.choice, index, this.matches.length));
  }

  // Only the first block is printed.
  print() {
    this.blocks.slice(1).forEach((block) => (block.hidden = true));
    const left = this.matches.length - (this.view?.size ?? 0);
    if (left > 0) this.place.append(make("p", "more", `and ${left.toLocaleString("en")} more images on the page itself`));
  }

  printed() {
    this.blocks.forEach((block) => (block.hidden = false));
    this.place.querySelector(".more")?.remove();
  }
}
