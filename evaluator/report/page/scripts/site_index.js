// A page without images, such as the index of a site: columns to choose, and rows to find by words and numbers.
//
// What was chosen stands in the address: #find=blip&where=local&price-to=2. What is as at first is left out.

class SiteIndex {
  constructor(leaderboard) {
    this.leaderboard = leaderboard;
    this.rows = [...leaderboard.table.querySelectorAll("tbody tr, tfoot tr")];
    this.filters = document.getElementById("filters");
    this.found = document.getElementById("found");
    this.fields = new Map(
      [...document.querySelectorAll("#find-run, #filters :is(input, select)")].map((field) => [field.name, field]),
    );
    this.addColumns();
    this.fields.forEach((field) => field.addEventListener("input", () => this.change()));
    if (this.fields.has("find")) this.fields.get("find").parentElement.hidden = false;
    if (this.filters) this.addFilters();
    this.start = this.state();
    window.addEventListener("hashchange", () => this.follow());
    this.follow();
  }

  addColumns() {
    const details = document.getElementById("columns");
    const { columns } = this.leaderboard;
    details.hidden = false;
    this.columns = new Menu(details, columns.map(([column, name]) => [column, isolated(name)]), () => this.change());
    this.columns.value = columns.flatMap(([column, , isFirst]) => (isFirst ? [column] : [])).join(",");
  }

  addFilters() {
    this.filters.hidden = false;
    closeFromElsewhere(this.filters);
    document.getElementById("show-all").addEventListener("click", () => {
      this.fields.forEach((field) => (field.value = ""));
      this.change();
    });
  }

  state() {
    const typed = [...this.fields].map(([name, field]) => [name, field.value]);
    return { ...Object.fromEntries(typed), columns: this.columns.value };
  }

  // Choose what the address says.
  follow() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const [name, value] of wanted) {
      if (name === "columns") this.columns.value = value;
      const field = this.fields.get(name);
      if (field) field.value = value;
      if (field?.selectedIndex === -1) field.value = ""; // an address may say anything
    }
    this.draw();
  }

  change() {
    this.draw();
    const kept = new URLSearchParams(Object.entries(this.state()).filter(([name, value]) => value !== this.start[name]));
    history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
  }

  draw() {
    const { find = "", where = "", columns, ...numbers } = this.state();
    const words = find.toLowerCase().split(/\s+/);
    const limits = Object.entries(numbers).filter(([, limit]) => limit !== "");
    this.rows.forEach((row) => {
      const said = row.cells[0].textContent.toLowerCase();
      const isThere = !where || row.dataset.where === where;
      row.hidden = !isThere || !words.every((word) => said.includes(word)) || !limits.every((limit) => isWithin(row, limit));
    });
    this.leaderboard.showColumns(this.columns.numbers);
    if (this.filters) this.tellActive(limits.length + (where ? 1 : 0));
    const shown = this.rows.filter((row) => !row.hidden).length;
    if (this.found) this.found.textContent = shown === this.rows.length ? "" : `${shown} of ${this.rows.length} rows`;
  }

  // How many filters are in use stands on their button.
  tellActive(count) {
    const summary = this.filters.querySelector("summary");
    summary.replaceChildren("Filter", ...(count ? [make("span", "count", count)] : []));
  }
}

// Whether a row has a number and keeps within a limit, such as ["price-to", "2"].
function isWithin(row, [name, limit]) {
  const [what, end] = name.split("-");
  const value = row.dataset[what];
  return value !== undefined && (end === "from" ? Number(value) >= Number(limit) : Number(value) <= Number(limit));
}
