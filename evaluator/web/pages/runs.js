import { asked, element, foreign, joined, progress, repeat } from "/static/page.js";

const body = document.getElementById("runs");
const selected = new Set();

function chooser(run) {
  const box = element("input");
  box.type = "checkbox";
  box.name = "run";
  box.value = run.name;
  box.checked = selected.has(run.name);
  box.addEventListener("change", () => {
    if (box.checked) selected.add(run.name);
    else selected.delete(run.name);
    show_selection();
  });
  return box;
}

function row(run) {
  const link = element("a", "", foreign(run.name));
  link.href = `/watch?${new URLSearchParams({ run: run.name })}`;
  const about = run.model ? `${run.model} on ${run.data}` : "";
  const box = chooser(run);
  box.setAttribute("aria-label", `Select ${run.name}`);
  const name = element("th", "run", box, element("div", "", link, element("small", "", foreign(about)), element("small", "", run.started)));
  name.scope = "row";
  const images = run.images === undefined ? "" : `${run.tried.toLocaleString("en")} of ${run.images.toLocaleString("en")}`;
  return element("tr", "",
    name,
    cell("state", progress(run), run.problem ? element("small", "problem", foreign(run.problem)) : ""),
    cell("images", images, element("small", "", joined(run.failures, run.cached))),
    cell("speed", run.rate || "", element("small", "", run.left || "")),
    cell("cost", run.cost || ""),
    cell("scores", ...scores(run)));
}

function cell(head, ...children) {
  const made = element("td", head, ...children);
  made.dataset.head = head;
  if (!made.textContent) made.classList.add("blank");
  return made;
}

function scores(run) {
  return run.scores.map((score, index) => {
    const shown = element(index ? "small" : "span", "score", `${score.metric} ${score.points}`);
    return element("span", "scored", shown, element("small", "interval", score.interval));
  });
}

function show_selection() {
  for (const button of document.querySelectorAll("form.list button")) button.disabled = selected.size === 0;
  document.getElementById("selected").textContent = selected.size === 0
    ? "Select runs to watch or compare them."
    : `${selected.size} selected`;
}

const known = new Map(); // a run's name -> what its row was made of

repeat(1.5, async () => {
  const { folder, runs } = await asked("/api/runs");
  document.getElementById("folder").textContent = runs.length ? `${runs.length} in ${folder}` : `${folder} holds no run yet`;
  const names = new Set(runs.map((run) => run.name));
  for (const [name, { made }] of known) {
    if (!names.has(name)) {
      made.remove();
      known.delete(name);
      selected.delete(name);
    }
  }
  runs.forEach((run, index) => {
    const state = JSON.stringify(run);
    let made = known.get(run.name)?.made;
    if (known.get(run.name)?.state !== state) {
      const fresh = row(run);
      const focused = made?.contains(document.activeElement) && document.activeElement.tagName;
      if (made) made.replaceWith(fresh);
      if (focused) fresh.querySelector(focused.toLowerCase())?.focus();
      made = fresh;
      known.set(run.name, { made, state });
    }
    if (body.children[index] !== made) body.insertBefore(made, body.children[index] ?? null);
  });
  show_selection();
});
