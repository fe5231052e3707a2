import { asked, Refusal } from "/static/page.js";

const KEYS = { a: "left", b: "right", arrowleft: "left", arrowright: "right", t: "tie", x: "both_bad", s: "skip" };
const part = (id) => document.getElementById(id);
const [who, question, end, notice, reason] = ["who", "question", "end", "notice", "reason"].map(part);
let rater = "";
let current = null;
let is_sending = false;
let goes_beyond_the_goal = false;

function show(shown) {
  for (const each of [who, question, end]) each.hidden = each !== shown;
}

function shown(answer) {
  current = answer;
  const goal = answer.goal ? ` of ${answer.goal.toLocaleString("en")}` : "";
  const votes = answer.goal || answer.votes !== 1 ? "votes" : "vote";
  part("counts").textContent = `${rater}: ${answer.own.toLocaleString("en")}, all: ${answer.votes.toLocaleString("en")}${goal} ${votes}`;
  const is_reached = answer.goal && answer.votes >= answer.goal && !goes_beyond_the_goal;
  if (!answer.ticket || is_reached) {
    end.querySelector("h2").textContent = answer.ticket
      ? "All votes that were planned are there"
      : "You have answered every question";
    part("more").hidden = !answer.ticket;
    show(end);
    return;
  }
  part("left").querySelector("bdi").textContent = answer.left;
  part("right").querySelector("bdi").textContent = answer.right;
  part("picture").src = `/picture?${new URLSearchParams({ ticket: answer.ticket })}`;
  reason.value = "";
  show(question);
  window.scrollTo(0, 0);
}

async function send(address, document) {
  if (is_sending) return;
  is_sending = true;
  try {
    shown(await asked(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ rater, ...document }),
    }));
    notice.hidden = true;
  } catch (error) {
    notice.textContent = error instanceof Refusal
      ? error.message
      : "The program does not answer. Votes that you have given are saved; this one is not.";
    notice.hidden = false;
  } finally {
    is_sending = false;
  }
}

function choose(choice) {
  if (!question.hidden && current?.ticket) {
    send("/api/vote", { ticket: current.ticket, choice, reason: reason.value });
  }
}

function begin(name) {
  rater = name.trim();
  if (!rater) return;
  sessionStorage.setItem("rater", rater);
  document.activeElement?.blur();
  send("/api/next", {});
}

for (const button of document.querySelectorAll("[data-choice]")) {
  button.addEventListener("click", () => choose(button.dataset.choice));
}
who.addEventListener("submit", (event) => {
  event.preventDefault();
  begin(part("rater").value);
});
part("more").addEventListener("click", () => {
  goes_beyond_the_goal = true;
  shown(current);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.tagName === "INPUT") {
    if (event.key === "Escape" || (event.key === "Enter" && event.target === reason)) event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (question.hidden) return;
  if (key === "r") {
    event.preventDefault();
    reason.focus();
  } else if (key in KEYS) {
    event.preventDefault();
    choose(KEYS[key]);
  }
});

who.querySelector("button").disabled = false; // before, the browser itself would send the form
const before = sessionStorage.getItem("rater");
if (before) begin(before);
