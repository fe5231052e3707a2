// What the pages share: elements with text, and a question that is asked again and again.

/** An element with a class and children; texts become text, never markup. */
export function element(tag, kind = "", ...children) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...children.filter((child) => child !== "" && child !== null));
  return made;
}

/** Text of a model or a file: its direction does not change what stands around it. */
export const foreign = (text) => element("bdi", "", text);

export async function asked(address, options = {}) {
  const response = await fetch(address, options);
  if (!response.ok) throw new Refusal(response.status, await response.text());
  return response.json();
}

export class Refusal extends Error {
  constructor(status, page) {
    const reason = new DOMParser().parseFromString(page, "text/html").querySelector("p")?.textContent;
    super(status === 403
      ? "This page belongs to a session that has ended. Open the address that the command printed last."
      : reason || `The program refused (${status}).`);
  }
}

/** Calls `ask` now and `seconds` after each answer, while the page can be seen; tells where none comes. */
export function repeat(seconds, ask) {
  const notice = document.getElementById("notice");
  let failures = 0;
  async function once() {
    if (document.visibilityState === "visible") {
      try {
        await ask();
        failures = 0;
        notice.hidden = true;
      } catch (error) {
        failures += 1;
        const text = error instanceof Refusal
          ? error.message
          : "The program has ended. Type its command again, and open the address that it prints.";
        if (notice.textContent !== text) notice.textContent = text;
        notice.hidden = false;
      }
    }
    setTimeout(once, 1000 * seconds * Math.min(10, 1 + failures));
  }
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask().catch(() => {}));
  once();
}

/** How far a run is, as a bar and one line of text. */
export function progress(run) {
  const parts = [];
  if (run.images !== undefined) {
    const bar = element("progress");
    bar.max = Math.max(run.images, 1);
    bar.value = run.tried;
    bar.setAttribute("aria-label", `images of ${run.name}`);
    parts.push(bar);
  }
  return element("div", "progress", element("span", `state ${run.state.replace(" ", "-")}`, run.state), ...parts);
}

export const joined = (...texts) => texts.filter(Boolean).join(", ");
