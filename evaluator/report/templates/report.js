"use strict";
// Sorting and searching. Without this script the page holds the same.

// What has no value comes last in either direction.
function inOrder(one, other, sign) {
  if (one === "" || other === "") return (one === "") - (other === "");
  const difference = Number(one) - Number(other);
  return sign * (Number.isNaN(difference) ? one.localeCompare(other) : difference);
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const opposite = { ascending: "descending", descending: "ascending" };
      const direction = opposite[head.getAttribute("aria-sort")] ?? head.dataset.first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const value = (row) => row.cells[column].dataset.value;
      body.append(...[...body.rows].sort((one, other) => inOrder(value(one), value(other), sign)));
    });
  });
}

function makeSearchable(form, cards) {
  const [search, order, shown] = ["search", "order", "shown"].map((id) => document.getElementById(id));
  const all = [...cards.children];
  const words = new Map(
    all.map((card) => {
      const texts = [...card.querySelectorAll("bdi, .chip, .nothing")].map((part) => part.textContent);
      return [card, texts.join("\n").toLowerCase()];
    }),
  );
  const say = (count) => {
    shown.textContent = count === all.length ? `${count} shown` : `${count} of ${all.length} match`;
  };
  const find = () => {
    const wanted = search.value.trim().toLowerCase();
    all.forEach((card) => (card.hidden = !words.get(card).includes(wanted)));
    say(all.filter((card) => !card.hidden).length);
  };
  const sort = () => {
    const key = order.value.replace("-", "");
    const sign = order.value.startsWith("-") ? -1 : 1;
    cards.append(...[...all].sort((one, other) => inOrder(one.dataset[key], other.dataset[key], sign)));
  };
  search.addEventListener("input", find);
  order.addEventListener("change", sort);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  // A browser keeps what was typed over a reload.
  find();
  sort();
}

document.querySelectorAll("table.leaderboard").forEach(makeSortable);
const cards = document.getElementById("cards");
if (cards) makeSearchable(document.querySelector("form.controls"), cards);
