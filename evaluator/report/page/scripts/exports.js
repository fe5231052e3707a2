// Files that the reader takes away: the images that are shown, and the marks.

// One object for each image and each run that is shown.
function exportedRows(gallery, marks, matches, choice) {
  const { data } = gallery;
  return matches.flatMap((image) =>
    choice.runs.map((run) => ({
      image: data.ids[image],
      run: data.names[run],
      outcome: gallery.outcome(run, image),
      caption: data.answers[run].captions[image],
      ...Object.fromEntries(
        data.metrics.map((metric, number) => {
          const score = gallery.score(run, number, image);
          return [metric, score === null ? null : score / 100];
        }),
      ),
      error: data.answers[run].errors[image] ?? "",
      notes: gallery.notes(run, image).map(([metric, text]) => `${metric}: ${text}`),
      mark: marks.of(run, image)?.mark ?? "",
      note: marks.of(run, image)?.note ?? "",
      references: data.references[image],
      tags: data.tags[image].map((tag) => data.tagNames[tag]),
    })),
  );
}

// A text that no spreadsheet takes for a formula: an apostrophe comes before all but numbers.
function csvCell(value) {
  const text = Array.isArray(value) ? value.join(" | ") : String(value ?? "");
  const safe = /^\s*[=+\-@]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function asCsv(rows) {
  const lines = rows.map((row) => Object.values(row).map(csvCell).join(","));
  const head = Object.keys(rows[0] ?? {}).map(csvCell).join(",");
  return `\ufeff${[head, ...lines].join("\r\n")}\r\n`; // spreadsheets know UTF-8 by its mark
}

function download(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
