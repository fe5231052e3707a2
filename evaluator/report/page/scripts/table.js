// The leaderboard: sorts by any of its columns, and hides columns.

// Rows without a value come last in either direction.
function inOrder(one, other, sign) {
  if (one === "" || other === "") return (one === "") - (other === "");
  const difference = Number(one) - Number(other);
  return sign * (Number.isNaN(difference) ? one.localeCompare(other) : difference);
}

class Leaderboard {
  constructor(table) {
    this.table = table;
    this.heads = [...table.tHead.rows[0].cells];
    this.rows = [...table.tBodies[0].rows]; // as they were written: the run with this number
    this.heads.forEach((head, column) => this.makeSortable(head, column));
  }

  makeSortable(head, column) {
    const made = button("");
    made.className = "sort";
    made.append(head.firstChild);
    head.prepend(made);
    made.addEventListener("click", () => {
      const opposite = { ascending: "descending", descending: "ascending" };
      const direction = opposite[head.getAttribute("aria-sort")] ?? head.dataset.first;
      this.heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const value = (row) => row.cells[column].dataset.value;
      this.table.tBodies[0].append(...[...this.rows].sort((one, other) => inOrder(value(one), value(other), sign)));
    });
  }

  // The columns that can be hidden: [[number, name, whether it is seen at first]].
  get columns() {
    return this.heads.slice(1).map((head, index) => [index + 1, head.textContent, !("later" in head.dataset)]);
  }

  showColumns(shown) {
    for (const row of this.table.rows) {
      [...row.cells].forEach((cell, column) => (cell.hidden = column > 0 && !shown.includes(column)));
    }
  }
}
