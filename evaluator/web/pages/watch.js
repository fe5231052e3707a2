import { asked, element, foreign, joined, progress, repeat } from "/static/page.js";

const MOST_CARDS = 120; // older ones leave the page
const names = new URLSearchParams(location.search).getAll("run");
const cards = document.getElementById("cards");
const hold = document.getElementById("hold");
const large = document.getElementById("large");
const shown = new Map(); // a card's key -> its element
const held = new Map(); // what came while the page holds still
let after = [];
let labels = []; // of the runs, in their order, which is that of their colours

document.getElementById("title").replaceChildren(foreign(names.length === 1 ? names[0] : `${names.length} runs`));

// The style sheet of the report has twelve colours.
const colour_of = (number) => (names.length > 1 ? `run-${number % 12}` : "");

function followed(run, number) {
  const heading = element("h3", names.length > 1 ? "" : "unseen", element("span", "dot"), foreign(run.label));
  const made = element("article", colour_of(number), heading, progress(run));
  if (run.problem) made.append(element("p", "problem", foreign(run.problem)));
  if (run.images !== undefined) {
    const count = `${run.tried.toLocaleString("en")} of ${run.images.toLocaleString("en")} images`;
    made.querySelector(".progress").append(element("span", "counts", joined(count, run.rate, run.left, run.cost, run.cached)));
  }
  if (run.reasons?.length) {
    const reasons = run.reasons.map((one) =>
      element("li", "", element("span", "chip", `${one.count.toLocaleString("en")} ${one.outcome}`), foreign(one.reason)));
    made.append(element("h4", "", "Without a caption"), element("ul", "reasons", ...reasons));
  }
  if (run.style?.length) {
    const of = `How the newest ${run.audited === 1 ? "caption is" : `${run.audited.toLocaleString("en")} captions are`} written`;
    made.append(
      element("h4", "", of),
      element("ul", "style", ...run.style.map((text) => element("li", "", text)),
        ...run.findings.map((text) => element("li", "finding", foreign(text)))));
  }
  return made;
}

function picture(card) {
  if (!card.picture) return element("p", "no-picture", "no picture at hand");
  const image = element("img");
  image.loading = "lazy";
  image.alt = "";
  image.src = card.picture;
  const button = element("button", "picture", image);
  button.type = "button";
  button.setAttribute("aria-label", `Enlarge the picture of ${card.id}`);
  button.addEventListener("click", () => {
    large.querySelector("img").src = `${card.picture}&size=large`;
    large.showModal();
  });
  return button;
}

function card_of(card) {
  const answers = card.answers.map((answer) => {
    const said = answer.caption === null
      ? element("span", "nothing", element("span", "chip", answer.outcome), foreign(answer.reason))
      : element("span", "caption", foreign(answer.caption));
    const name = names.length > 1 ? element("span", "label", foreign(answer.run)) : "";
    return element("li", colour_of(labels.indexOf(answer.run)), name, said, element("small", "took", answer.took));
  });
  const references = card.references.map((text) => element("li", "", foreign(text)));
  return element("li", "made-card",
    picture(card),
    element("div", "said",
      element("h3", "", foreign(card.id)),
      element("ul", "answers", ...answers),
      references.length
        ? element("details", "references", element("summary", "", references.length === 1 ? "1 reference" : `${references.length} references`), element("ol", "", ...references))
        : ""));
}

function insert(card) {
  const made = card_of(card);
  const before = shown.get(card.key);
  if (before) {
    // The picture stays, so that it does not flicker.
    const [old, fresh] = [before.querySelector("button.picture"), made.querySelector("button.picture")];
    if (old && fresh) fresh.replaceWith(old);
    if (before.querySelector("details")?.open) made.querySelector("details").open = true;
    before.replaceWith(made);
  } else {
    cards.prepend(made);
  }
  shown.set(card.key, made);
}

function take(list) {
  for (const card of list) held.set(card.key, card);
  if (!hold.checked) {
    held.forEach(insert);
    held.clear();
    while (cards.children.length > MOST_CARDS) cards.lastElementChild.remove();
    for (const [key, made] of shown) if (!made.isConnected) shown.delete(key);
  }
  document.getElementById("waiting").textContent = held.size ? `${held.size} new` : "";
  document.getElementById("none").hidden = cards.children.length > 0;
}

hold.addEventListener("change", () => take([]));
large.addEventListener("click", (event) => event.target === large && large.close());

repeat(1, async () => {
  const query = new URLSearchParams();
  for (const name of names) query.append("run", name);
  for (const number of after) query.append("after", number);
  const answer = await asked(`/api/watch?${query}`);
  after = answer.after;
  labels = answer.runs.map((run) => run.label);
  document.getElementById("runs").replaceChildren(...answer.runs.map(followed));
  const running = answer.runs.filter((run) => ["running", "scoring", "not begun"].includes(run.state));
  const tried = answer.runs.reduce((sum, run) => sum + (run.tried ?? 0), 0);
  const images = answer.runs.reduce((sum, run) => sum + (run.images ?? 0), 0);
  document.title = running.length ? `${tried} of ${images} captions` : "Runs";
  const report = document.getElementById("report");
  report.href = `/report?${new URLSearchParams(names.map((name) => ["run", name]))}`;
  report.hidden = running.length > 0 || answer.runs.some((run) => ["unreadable", "not scored"].includes(run.state));
  take(answer.cards);
});
