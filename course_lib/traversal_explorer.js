// The moving part of course_lib/traversal_explorer.py: `explore(root, data)` replaces the sheet of
// images in `root` by a slider for each row. The images are read from the picture that was there:
// in each row the example's own, then those at evenly spaced values of one latent dimension.

const ORANGE = "#E69F00";
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" }; // or JupyterLab takes the arrow keys
const STRIP = 400, THUMB = 16, SHOWN = 72; // widths in CSS pixels

function element(parent, tag, attributes, text) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

// Slider positions of a row, by rising value: the value, and the column of its image in the sheet.
function positions(data, row) {
  const [low, high] = data.ranges[row];
  const found = [{ value: data.start[row], column: 0 }];
  for (let i = 0; i < data.numValues; i++) {
    found.push({ value: low + (high - low) * i / (data.numValues - 1), column: i + 1 });
  }
  return found.sort((a, b) => a.value - b.value);
}

function tile(parent, data, style, name) {
  return element(parent, "canvas", { width: data.size[1], height: data.size[0], role: "img",
    "aria-label": name, style: `image-rendering:pixelated;${style}` });
}

function show(canvas, picture, data, row, column) {
  const [height, width] = data.size;
  canvas.getContext("2d").drawImage(picture, column * width, row * height, width, height,
    0, 0, width, height);
}

// One row: name, slider over the strip of images, value, and the image of the slider's position.
function buildRow(table, picture, data, row, changed) {
  const name = data.names[row], places = positions(data, row);
  const side = Math.floor(STRIP / places.length);
  element(table, "span", {}, name);
  const middle = element(table, "div", { style: `width:${side * places.length}px` });
  const input = element(middle, "input", { type: "range", min: 0, max: places.length - 1, step: 1,
    "aria-label": name, ...OWN_KEYS, style: `display:block;margin:0 0 2px ${(side - THUMB) / 2}px;`
      + `width:${side * (places.length - 1) + THUMB}px` });
  const strip = element(middle, "div", { style: "display:flex;gap:1px" });
  const tiles = places.map(({ column, value }, i) => {
    const own = column ? "" : ", the example";
    const canvas = tile(strip, data, `width:${side - 1}px;outline-offset:-2px;cursor:pointer`, `${name} = ${value.toFixed(2)}${own}`);
    show(canvas, picture, data, row, column);
    canvas.addEventListener("click", () => move(i));
    return canvas;
  });
  const value = element(table, "output", { style: "text-align:right" });
  const shown = tile(table, data, `width:${SHOWN}px`, `${name}, decoded`);
  const home = places.findIndex(({ column }) => column === 0);
  const move = (i) => {
    input.value = i;
    value.textContent = places[i].value.toFixed(2).replace("-", "−");
    input.setAttribute("aria-valuetext", value.textContent);
    tiles.forEach((canvas, j) => {
      canvas.style.outline = j === i ? `3px solid ${ORANGE}` : j === home ? "2px dashed #7F7F7F" : "";
    });
    show(shown, picture, data, row, places[i].column);
    changed(row, i !== home);
  };
  input.addEventListener("input", () => move(Number(input.value)));
  return () => move(home);
}

function build(root, data, picture) {
  root.replaceChildren();
  root.style.maxWidth = "720px";
  const head = element(root, "div", { style: "display:flex;gap:1em;align-items:center" });
  const example = tile(head, data, `width:${SHOWN}px;flex:none`, "the example, decoded");
  show(example, picture, data, 0, 0);
  element(head, "span", {}, "The example, encoded and decoded. A row changes one latent dimension "
    + "and leaves the others as the example has them; dashed: the example.");
  const back = element(head, "button", { ...OWN_KEYS, style: "flex:none" }, "All back");
  const table = element(root, "div", { style: "display:grid;gap:6px 10px;align-items:center;"
    + "grid-template-columns:minmax(3em,max-content) max-content 3.5em max-content" });
  const away = data.names.map(() => false);
  const changed = (row, isAway) => {
    away[row] = isAway;
    back.disabled = !away.includes(true);
  };
  const returns = data.names.map((_, row) => buildRow(table, picture, data, row, changed));
  back.addEventListener("click", () => returns.forEach((goHome) => goHome()));
  returns.forEach((goHome) => goHome());
}

function explore(root, data) {
  if (root.dataset.ready) return;
  root.dataset.ready = "yes";
  const picture = root.querySelector("img");
  picture.decode().then(() => build(root, data, picture));
}
