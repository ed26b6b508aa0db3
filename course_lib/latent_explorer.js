// The moving part of course_lib/latent_explorer.py: `explore(root, data)` replaces the grid of
// images in `root` by a map to move a point on. The images are read from the picture that was there.

const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" }; // or JupyterLab takes the arrow keys
const LEFT = 46, TOP = 12, SIDE = 300; // of the map, in its own units
const NUM_STEPS = 200;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

function element(parent, tag, attributes, text) {
  const isSvg = tag === "svg" || parent.namespaceURI.endsWith("svg");
  const node = isSvg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

// The pixels of the sheet of images, as [red, green, blue, opacity, …] row by row.
function readPixels(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

// Place on the grid: the image to the left of (above) the point, and the share of the next one.
function cell(value, low, high, gridSize) {
  const place = (gridSize - 1) * (value - low) / (high - low);
  const i = Math.min(Math.max(Math.floor(place), 0), gridSize - 2);
  return [i, Math.min(Math.max(place - i, 0), 1)];
}

// The image at z: the four around it, each weighted by how near it is.
function mix(sheet, data, z) {
  const [[left, right], [low, high]] = data.limits, [height, width] = data.size;
  const [column, u] = cell(z[0], left, right, data.gridSize);
  const [row, v] = cell(-z[1], -high, -low, data.gridSize); // the top row has the largest z₂
  const image = new ImageData(width, height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) for (let c = 0; c < 4; c++) {
    const at = (i, j) => sheet.data[4 * (((row + i) * height + y) * sheet.width
      + (column + j) * width + x) + c];
    image.data[4 * (y * width + x) + c] = (1 - v) * ((1 - u) * at(0, 0) + u * at(0, 1))
      + v * ((1 - u) * at(1, 0) + u * at(1, 1));
  }
  return image;
}

function readout(data, z) {
  const rows = [
    ["z", `(${z[0].toFixed(2)}, ${z[1].toFixed(2)})`],
    ["distance from 0", Math.hypot(...z).toFixed(2)],
  ];
  if (data.codes.length) {
    const distances = data.codes.map(([a, b]) => Math.hypot(z[0] - a, z[1] - b));
    const nearest = distances.indexOf(Math.min(...distances));
    const name = data.labels.length ? `${data.labelNames[data.labels[nearest]]}, ` : "";
    rows.push(["nearest code", `${name}${distances[nearest].toFixed(2)} away`]);
  }
  return rows;
}

function mark(parent, place, label, size) {
  const colour = COLOURS[label % COLOURS.length], [x, y] = place;
  if (label < COLOURS.length) return element(parent, "circle", { cx: x, cy: y, r: size, fill: colour });
  return element(parent, "path", { d: `M${x - size},${y}h${2 * size}M${x},${y - size}v${2 * size}`,
    stroke: colour, "stroke-width": 1.2 });
}

// Axes, the codes, the circles of one and two standard deviations of the prior.
function drawMap(svg, data, toMap) {
  const [[left, right], [low, high]] = data.limits, bottom = TOP + SIDE;
  for (let i = 0; i <= 4; i++) {
    const [a, b] = [left + (right - left) * i / 4, low + (high - low) * i / 4];
    const [x, y] = toMap([a, b]), text = (value) => String(Number(value.toPrecision(2)));
    element(svg, "path", { d: `M${x},${bottom}v5M${LEFT},${y}h-5`, stroke: "black" });
    element(svg, "text", { x, y: bottom + 18, "text-anchor": "middle" }, text(a));
    element(svg, "text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, text(b));
  }
  element(svg, "text", { x: LEFT + SIDE / 2, y: bottom + 36, "text-anchor": "middle" }, "z₁");
  element(svg, "text", { x: 12, y: TOP + SIDE * 3 / 8, "text-anchor": "middle" }, "z₂");
  const inside = element(svg, "svg", { x: LEFT, y: TOP, width: SIDE, height: SIDE,
    overflow: "hidden", viewBox: `${LEFT} ${TOP} ${SIDE} ${SIDE}` });
  data.codes.forEach((code, n) => mark(inside, toMap(code), data.labels[n] ?? 0, 1.7));
  const [x0, y0] = toMap([0, 0]);
  for (const radius of [1, 2]) {
    element(inside, "ellipse", { cx: x0, cy: y0, rx: radius * SIDE / (right - left),
      ry: radius * SIDE / (high - low), fill: "none", stroke: "#7F7F7F", "stroke-dasharray": "5 3" });
  }
  element(svg, "path", { d: `M${LEFT},${TOP}V${bottom}h${SIDE}`, stroke: "black", fill: "none" });
}

function slider(parent, label, [low, high], value, changed) {
  const row = element(parent, "label", { style: "display:flex;gap:.7em;align-items:center" });
  element(row, "span", { style: "width:2em" }, label);
  const input = element(row, "input", { type: "range", min: low, max: high, style: "flex:1",
    step: (high - low) / NUM_STEPS, value, "aria-label": label, ...OWN_KEYS });
  input.addEventListener("input", changed);
  return input;
}

function build(root, data, sheet) {
  root.replaceChildren();
  root.style.maxWidth = "640px";
  const [[left, right], [low, high]] = data.limits;
  const toMap = (z) => [LEFT + SIDE * (z[0] - left) / (right - left),
    TOP + SIDE * (high - z[1]) / (high - low)];
  const both = element(root, "div", { style: "display:flex;gap:12px;align-items:flex-start" });
  const svg = element(both, "svg", { viewBox: "0 0 360 352", role: "img", "aria-label": data.title,
    "font-family": "sans-serif", "font-size": 13, tabindex: 0, ...OWN_KEYS,
    style: "width:57%;background:white;touch-action:none;user-select:none;cursor:crosshair;"
      + "outline:1px solid transparent;outline-offset:-1px" });
  drawMap(svg, data, toMap);
  const handle = element(svg, "circle", { r: 7, fill: "none", stroke: "black",
    "stroke-width": 2.5 }); // not cut off at the edge of the map
  const canvas = element(both, "canvas", { width: data.size[1], height: data.size[0], role: "img",
    "aria-label": "decoded image", style: "width:41%;image-rendering:pixelated;margin-top:2%" });
  const legend = element(root, "div", { style: "display:flex;flex-wrap:wrap;gap:.1em 1em" });
  data.labelNames.forEach((name, label) => {
    const entry = element(legend, "span", {});
    const box = { width: 14, height: 14, style: "vertical-align:middle;margin-right:.3em" };
    mark(element(entry, "svg", box), [7, 7], label, 5);
    entry.append(name);
  });
  const controls = element(root, "div", {});
  const facts = element(root, "dl", { "aria-live": "polite",
    style: "display:grid;grid-template-columns:9em 1fr;gap:.1em .7em;margin:.5em 0" });
  let z = data.start.slice();
  const draw = () => {
    const [x, y] = toMap(z);
    handle.setAttribute("cx", x);
    handle.setAttribute("cy", y);
    canvas.getContext("2d").putImageData(mix(sheet, data, z), 0, 0);
    facts.replaceChildren();
    for (const [name, value] of readout(data, z)) {
      const style = "float:none;width:auto;margin:0;font-weight:inherit"; // whatever the page says
      element(facts, "dt", { style }, name);
      element(facts, "dd", { style }, value);
    }
  };
  const inputs = ["z₁", "z₂"].map((label, i) => slider(controls, label, data.limits[i], z[i], () => {
    z[i] = Number(inputs[i].value);
    draw();
  }));
  const moveTo = (at) => {
    z = at.map((value, i) => Math.min(Math.max(value, data.limits[i][0]), data.limits[i][1]));
    inputs.forEach((input, i) => { input.value = z[i]; });
    draw();
  };
  const drag = (event) => {
    const box = svg.getBoundingClientRect(), scale = 360 / box.width;
    moveTo([left + (right - left) * ((event.clientX - box.left) * scale - LEFT) / SIDE,
      high - (high - low) * ((event.clientY - box.top) * scale - TOP) / SIDE]);
  };
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    drag(event);
  });
  svg.addEventListener("focus", () => { svg.style.outlineColor = "#7F7F7F"; });
  svg.addEventListener("blur", () => { svg.style.outlineColor = "transparent"; });
  svg.addEventListener("click", () => svg.focus({ preventScroll: true })); // then arrows move it
  svg.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  svg.addEventListener("keydown", (event) => {
    const steps = ARROWS[event.key];
    if (!steps) return;
    event.preventDefault(); // the page stays where it is
    moveTo(z.map((value, i) =>
      value + steps[i] * (data.limits[i][1] - data.limits[i][0]) / NUM_STEPS));
  });
  draw();
}

function explore(root, data) {
  if (root.dataset.ready) return;
  root.dataset.ready = "yes";
  const picture = root.querySelector("img");
  picture.decode().then(() => build(root, data, readPixels(picture)));
}
