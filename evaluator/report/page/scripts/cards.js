// Cards: one image with everything that is known of it.

class Cards {
  constructor(gallery, captions) {
    [this.gallery, this.captions] = [gallery, captions];
    [this.size, this.height] = [10, 320];
  }

  element() {
    const feed = make("div", "cards");
    feed.setAttribute("role", "feed");
    feed.setAttribute("aria-label", "Images");
    return { outer: feed, inner: feed };
  }

  block() {
    return make("div", "block");
  }

  spacer(pixels) {
    const space = make("div");
    space.style.height = `${pixels}px`;
    return space;
  }

  item(image, choice, number, count) {
    const heading = make("h3", "", this.captions.link(image));
    heading.id = `image-${image}`;
    const figure = make("figure", "", openingPicture(this.gallery, image), make("figcaption", "", heading, ...this.captions.facts(image, choice)));
    const card = make("article", "card", figure, this.captions.answers(image, choice), this.captions.references(image));
    card.setAttribute("aria-labelledby", heading.id);
    card.setAttribute("aria-posinset", number + 1);
    card.setAttribute("aria-setsize", count);
    return card;
  }
}
