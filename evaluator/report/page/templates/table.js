"use strict";
// Sorts the leaderboard by any of its columns.

// Rows without a value come last in either direction.
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

document.querySelectorAll("table.leaderboard").forEach(makeSortable);
