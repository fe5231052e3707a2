// The small parts that every view draws with. Text is only ever added as text.

const COLOURS = 12; // as many as the style sheet has

function make(tag, kind, ...children) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

const isolated = (text, kind = "") => make("bdi", kind, text);
const inPoints = (hundredths) => (hundredths / 100).toFixed(1);
const signed = (hundredths) => {
  const size = inPoints(Math.abs(hundredths));
  return size === "0.0" ? size : `${hundredths < 0 ? "−" : "+"}${size}`;
};
const colourOf = (run) => `run-${run % COLOURS}`;

// A name of at most so many characters: its middle is left out, since names differ at both ends.
function shortened(text, most = 28) {
  if (text.length <= most) return text;
  const end = Math.floor(((most - 1) * 9) / 20);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}

// The name of a run with its colour. It may be broken into lines behind its joints.
function runName(gallery, run) {
  const label = gallery.data.runs[run];
  const parts = shortened(label).split(/(?<=[_./-])/);
  const name = make("bdi", "", ...parts.flatMap((part) => [part, document.createElement("wbr")]));
  const made = make("span", `name-of-run ${colourOf(run)}`, make("span", "dot"), name);
  if (name.textContent !== label) made.title = label;
  return made;
}

function button(text, label, kind = "") {
  const made = make("button", kind, text);
  made.type = "button";
  if (label) made.setAttribute("aria-label", label);
  return made;
}

// The picture, or a drawing in its place.
function pictureOf(gallery, image) {
  const address = gallery.picture(image);
  if (address === null) return document.getElementById("no-picture").content.cloneNode(true);
  const shown = make("img");
  shown.src = address;
  shown.alt = `Image ${gallery.data.ids[image]}`;
  shown.decoding = "async";
  return shown;
}

// A picture that opens the image large. Whoever listens to clicks knows it by its `data-image`.
function openingPicture(gallery, image) {
  const opener = button("", `Image ${gallery.data.ids[image]}, show it large`, "opener");
  const picture = pictureOf(gallery, image);
  if (picture.alt) picture.alt = "";
  opener.append(picture);
  opener.dataset.image = image;
  return opener;
}

// Hide what is drawn of other runs: their rows in the leaderboard, marks in the plots, columns of tables.
function showRuns(shown) {
  document.querySelectorAll("[data-run]").forEach((drawn) => drawn.toggleAttribute("hidden", !shown.includes(Number(drawn.dataset.run))));
}
