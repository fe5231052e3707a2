// Starts the gallery and the plot of two runs once the data is unpacked.

(async () => {
  const form = document.querySelector("form.controls");
  if (!form) return;
  const cards = document.getElementById("cards");
  let data;
  try {
    data = await unpacked(document.getElementById("data"));
  } catch (error) {
    cards.textContent = "This browser is too old to show the images: it cannot unpack them.";
    throw error;
  }
  const gallery = new Gallery(data, JSON.parse(document.getElementById("pictures").textContent));
  const figure = document.getElementById("scatter");
  if (figure) figure.hidden = false;
  const scatter = figure && new Scatter(gallery, figure);
  const { show } = startGallery(gallery, form, (choice) => scatter?.show(choice));
  if (scatter) scatter.visit = show;
})();
