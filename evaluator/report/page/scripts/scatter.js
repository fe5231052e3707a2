// A plot of two runs with one dot per image: the score of one against the score of the other. A click on a dot
// goes to its image.

const MARGIN = { left: 52, right: 14, top: 10, bottom: 40 };
const NEAR = 12; // of the pointer to a dot, in CSS pixels
const ON_PAPER = { "--rule": "#c9c9c9", "--muted": "#4a4d52", "--accent": "#0d5b78" };

function roundTicks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => power * factor).find((size) => size >= rough * 0.99);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Number(tick.toPrecision(10)));
  return ticks;
}

class Scatter {
  // `visit` goes to an image.
  constructor(gallery, figure, visit) {
    this.gallery = gallery;
    this.figure = figure;
    this.canvas = figure.querySelector("canvas");
    this.output = figure.querySelector("output");
    this.canvas.addEventListener("mousemove", (event) => this.describe(this.at(event)));
    this.canvas.addEventListener("mouseleave", () => this.describe(null));
    this.canvas.addEventListener("click", (event) => {
      const dot = this.at(event);
      if (dot) visit(dot.image);
    });
    new ResizeObserver(() => this.drawIfSeen()).observe(this.canvas);
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.isNear = isIntersecting;
      if (this.isStale) this.drawIfSeen();
    }, { rootMargin: AHEAD }).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.drawIfSeen());
    window.addEventListener("beforeprint", () => this.draw(ON_PAPER));
    window.addEventListener("afterprint", () => this.draw());
  }

  show(choice) {
    const same = this.choice && ["one", "other", "metric"].every((name) => this.choice[name] === choice[name]);
    if (same) return;
    this.choice = choice;
    const { data, images } = this.gallery;
    this.dots = [];
    const counts = { better: 0, worse: 0, tied: 0 };
    for (let image = 0; image < images; image++) {
      const [x, y] = [choice.other, choice.one].map((run) => this.gallery.score(run, choice.metric, image));
      if (x === null || y === null) continue;
      const gain = (y - x) * data.better[choice.metric];
      this.dots.push({ image, x: x / 100, y: y / 100, gain });
      counts[gain > 0 ? "better" : gain < 0 ? "worse" : "tied"]++;
    }
    const [one, other] = [data.runs[choice.one], data.runs[choice.other]];
    const metric = data.metrics[choice.metric];
    this.summary = choice.one === choice.other ? "Choose two runs to compare." :
      `${one} has the better ${metric} on ${counts.better.toLocaleString("en")} images and ` +
      `${other} on ${counts.worse.toLocaleString("en")}; ${counts.tied.toLocaleString("en")} are tied.`;
    this.canvas.setAttribute("aria-label", `${metric} of ${one} against that of ${other}, one dot per image. ${this.summary}`);
    this.describe(null);
    this.drawIfSeen();
  }

  // Tens of thousands of dots are drawn only where they are seen.
  drawIfSeen() {
    if (this.isNear) this.draw();
    else this.isStale = true;
  }

  draw(colours = {}) {
    const { canvas, dots } = this;
    const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
    if (!width || !dots) return;
    this.isStale = false;
    [canvas.width, canvas.height] = [width * ratio, height * ratio];
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => colours[name] ?? style.getPropertyValue(name).trim();
    const [low, high] = dots.reduce(
      ([least, most], { x, y }) => [Math.min(least, x, y), Math.max(most, x, y)], [Infinity, -Infinity],
    );
    if (low > high) return;
    const room = 0.04 * (high - low) || 1;
    const [from, to] = [low - room, high + room];
    const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
    this.toX = (value) => MARGIN.left + ((right - MARGIN.left) * (value - from)) / (to - from);
    this.toY = (value) => bottom - ((bottom - MARGIN.top) * (value - from)) / (to - from);
    pen.font = `11px ${style.getPropertyValue("--sans")}`;
    pen.strokeStyle = colour("--rule");
    pen.fillStyle = colour("--muted");
    for (const tick of roundTicks(from, to)) {
      pen.beginPath();
      pen.moveTo(MARGIN.left, this.toY(tick));
      pen.lineTo(right, this.toY(tick));
      pen.stroke();
      pen.textAlign = "right";
      pen.fillText(tick, MARGIN.left - 6, this.toY(tick) + 4);
      pen.textAlign = "center";
      pen.fillText(tick, this.toX(tick), bottom + 16);
    }
    const { data } = this.gallery;
    pen.textAlign = "right";
    pen.fillText(`${data.runs[this.choice.other]} →`, right, height - 6, right - MARGIN.left);
    pen.textAlign = "left";
    pen.fillText(`↑ ${data.runs[this.choice.one]}`, 2, MARGIN.top + 2, right);
    pen.strokeStyle = colour("--muted");
    pen.setLineDash([4, 4]);
    pen.beginPath();
    pen.moveTo(this.toX(from), this.toY(from));
    pen.lineTo(this.toX(to), this.toY(to));
    pen.stroke();
    pen.setLineDash([]);
    const radius = dots.length > 2000 ? 1.5 : 3;
    pen.globalAlpha = Math.max(0.12, Math.min(0.75, 60 / Math.sqrt(dots.length) / 4));
    // Each dot has the colour of the run that is better; those of ties are grey.
    const ofRun = (run) => colour(`--colour-${run % COLOURS}`);
    for (const [sign, fill] of [[0, colour("--muted")], [1, ofRun(this.choice.one)], [-1, ofRun(this.choice.other)]]) {
      pen.fillStyle = fill;
      for (const { x, y, gain } of dots) {
        if (Math.sign(gain) !== sign) continue;
        pen.beginPath();
        pen.arc(this.toX(x), this.toY(y), radius, 0, 2 * Math.PI);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
  }

  // The dot nearest to the pointer, if one is near.
  at({ offsetX, offsetY }) {
    let [best, dot] = [NEAR ** 2, null];
    for (const each of this.dots) {
      const distance = (this.toX(each.x) - offsetX) ** 2 + (this.toY(each.y) - offsetY) ** 2;
      if (distance < best) [best, dot] = [distance, each];
    }
    return dot;
  }

  describe(dot) {
    this.canvas.classList.toggle("pointing", dot !== null);
    if (!dot) {
      this.output.textContent = this.summary;
      return;
    }
    const { data } = this.gallery;
    const answer = (run) => data.answers[run].captions[dot.image] ?? this.gallery.outcome(run, dot.image);
    this.output.replaceChildren(
      isolated(data.ids[dot.image]), ": ",
      `${dot.y.toFixed(1)} `, isolated(answer(this.choice.one)), ` — ${dot.x.toFixed(1)} `, isolated(answer(this.choice.other)),
    );
  }
}
