// The moving part of course_lib/explorer.py: `explore(root, data)` replaces the still picture in
// `root` by a figure with sliders. No libraries, no network, nothing but the numbers in `data`.

const BLUE = "#0072B2", ORANGE = "#D55E00", GREY = "#7F7F7F", LEFT = 62, RIGHT = 610;
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" }; // or JupyterLab takes arrows and Enter

function element(parent, tag, attributes, text) {
  const isSvg = tag === "svg" || parent.namespaceURI.endsWith("svg");
  const node = isSvg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

// The log joint between the grid points and beyond: a parabola through the three nearest ones,
// which is exact for a Gaussian. Beyond the grid a parabola that opens upwards is straightened.
function interpolate(data, z) {
  const { low, step, logJoint } = data, last = logJoint.length - 1;
  const i = Math.min(Math.max(Math.round((z - low) / step), 1), last - 1);
  const u = (z - low) / step - i;
  const slope = (logJoint[i + 1] - logJoint[i - 1]) / 2;
  let bend = logJoint[i + 1] - 2 * logJoint[i] + logJoint[i - 1];
  if (Math.abs(u) > 1) bend = Math.min(bend, 0);
  return logJoint[i] + u * slope + 0.5 * u * u * bend;
}

const logNormal = (t, logScale) => -0.5 * t * t - logScale - HALF_LOG_TWO_PI;

// Importance sampling with the proposal N(loc, scale): weights, ESS, estimate, standard error.
function importance(data, loc, logScale) {
  const scale = Math.exp(logScale), size = data.noise.length;
  const draws = data.noise.map((t) => loc + scale * t);
  const logWeights = draws.map((z, s) => interpolate(data, z) - logNormal(data.noise[s], logScale));
  const largest = Math.max(...logWeights);
  const weights = logWeights.map((w) => Math.exp(w - largest));
  const sum = weights.reduce((a, b) => a + b), mean = sum / size;
  const squares = weights.reduce((a, w) => a + w * w, 0);
  const variance = weights.reduce((a, w) => a + (w - mean) ** 2, 0) / (size - 1);
  return {
    draws, shares: weights.map((w) => w / sum), ess: sum * sum / squares,
    estimate: largest + Math.log(mean), error: Math.sqrt(variance / size) / mean,
  };
}

// E_q[log p(x, z)] + H(q) by the trapezoidal rule over eight standard deviations each way.
function elbo(data, loc, logScale) {
  let energy = 0;
  for (let t = -8; t <= 8; t += 0.05) {
    energy += 0.05 * Math.exp(logNormal(t, 0)) * interpolate(data, loc + Math.exp(logScale) * t);
  }
  return energy + 0.5 + HALF_LOG_TWO_PI + logScale;
}

// A panel of the picture: maps numbers to places, draws its frame once.
function panel(svg, data, right, top, bottom, title) {
  const high = data.low + data.step * (data.logJoint.length - 1);
  const x = (z) => LEFT + (right - LEFT) * (z - data.low) / (high - data.low);
  element(svg, "path", { d: `M${LEFT},${top}V${bottom}H${right}`, fill: "none", stroke: "black" });
  element(svg, "text", { x: 16, y: (top + bottom) / 2, "text-anchor": "middle",
    transform: `rotate(-90 16 ${(top + bottom) / 2})` }, title);
  return { x, high, top, bottom, right };
}

function horizontalAxis(svg, data, frame) {
  for (let i = 0; i <= 4; i++) {
    const z = data.low + (frame.high - data.low) * i / 4;
    element(svg, "path", { d: `M${frame.x(z)},${frame.bottom}v5`, stroke: "black" });
    element(svg, "text", { x: frame.x(z), y: frame.bottom + 19, "text-anchor": "middle" },
      String(Number(z.toPrecision(3))));
  }
  element(svg, "text", { x: (LEFT + frame.right) / 2, y: frame.bottom + 38,
    "text-anchor": "middle" }, data.xLabel);
}

function legend(svg, entries) {
  let place = LEFT;
  for (const [colour, dash, label] of entries) {
    element(svg, "path", { d: `M${place},14h26`, stroke: colour, "stroke-width": 3,
      "stroke-dasharray": dash });
    element(svg, "text", { x: place + 32, y: 19 }, label);
    place += 50 + 7.4 * label.length;
  }
}

// The posterior, which stays, and a function that moves q; what is too high for the panel is cut.
function densities(svg, data, frame) {
  const grid = data.logJoint.map((_, i) => data.low + data.step * i);
  const posterior = data.logJoint.map((value) => Math.exp(value - data.exact));
  const ceiling = 1.6 * Math.max(...posterior), height = frame.bottom - frame.top;
  const y = (value) => frame.bottom - height * Math.min(value / ceiling, 3);
  const line = (zs, values) => "M" + zs.map((z, i) => `${frame.x(z).toFixed(1)},${
    y(values[i]).toFixed(1)}`).join("L");
  element(svg, "path", { d: `${line(grid, posterior)}V${frame.bottom}H${LEFT}Z`, fill: GREY,
    "fill-opacity": 0.35, stroke: GREY, "stroke-width": 1.5, "stroke-dasharray": "5 3" });
  const power = 10 ** Math.floor(Math.log10(ceiling / 2));
  const tick = power * [5, 2, 1].find((times) => times * power <= ceiling / 2);
  for (let value = 0; value <= ceiling; value += tick) {
    element(svg, "path", { d: `M${LEFT - 4},${y(value)}h4`, stroke: "black" });
    element(svg, "text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" },
      String(Number(value.toPrecision(2))));
  }
  const opening = element(svg, "svg", { y: frame.top, width: 640, height, overflow: "hidden" });
  const q = element(opening, "path", { transform: `translate(0 ${-frame.top})`, fill: "none",
    stroke: BLUE, "stroke-width": 2.5 });
  const handle = element(svg, "circle", { r: 8, fill: BLUE, stroke: "white", "stroke-width": 2 });
  return (loc, logScale) => {
    const places = Array.from({ length: 401 }, (_, i) => data.low
      + (frame.high - data.low) * i / 400);
    q.setAttribute("d", line(places, places.map((z) =>
      Math.exp(logNormal((z - loc) / Math.exp(logScale), logScale)))));
    handle.setAttribute("cx", frame.x(loc));
    handle.setAttribute("cy", frame.bottom);
  };
}

function drawProposal(svg, data) {
  legend(svg, [[GREY, "5 3", "posterior p(z | x)"], [BLUE, "", "proposal q(z)"],
    [ORANGE, "", "share of the weight"]]);
  const upper = panel(svg, data, RIGHT, 30, 190, "density");
  const lower = panel(svg, data, RIGHT, 214, 300, "share");
  horizontalAxis(svg, data, lower);
  const moveQ = densities(svg, data, upper);
  const stems = element(svg, "path", { stroke: ORANGE, "stroke-width": 2, "stroke-opacity": 0.8 });
  const top = element(svg, "text", { x: LEFT - 6, y: lower.top + 8, "text-anchor": "end" });
  return { frame: upper, move(loc, logScale) {
    moveQ(loc, logScale);
    const result = importance(data, loc, logScale), largest = Math.max(...result.shares);
    stems.setAttribute("d", result.draws.map((z, s) => z < data.low || z > upper.high ? ""
      : `M${upper.x(z).toFixed(1)},${lower.bottom}v${
        (-(lower.bottom - lower.top) * result.shares[s] / largest).toFixed(1)}`).join(""));
    top.textContent = `${(100 * largest).toPrecision(2)} %`;
    const off = result.estimate - data.exact;
    return [
      ["effective sample size", `${result.ess.toFixed(1)} of ${data.noise.length}`],
      ["log p(x), estimated", `${result.estimate.toFixed(3)} ± ${result.error.toFixed(3)} nats`],
      ["log p(x), exact", `${data.exact.toFixed(3)} nats`],
      ["off by", `${off.toFixed(3)} nats, ${(Math.abs(off) / result.error).toFixed(1)} ×`
        + " its standard error"],
    ];
  } };
}

function drawBound(svg, data) {
  legend(svg, [[GREY, "5 3", "posterior p(z | x)"], [BLUE, "", "q(z), and its ELBO"],
    [ORANGE, "2 2", "the gap, KL(q ‖ posterior)"]]);
  const frame = panel(svg, data, 440, 30, 300, "density"), span = 5; // nats shown below log p(x)
  horizontalAxis(svg, data, frame);
  const moveQ = densities(svg, data, frame);
  const y = (gap) => 50 + 250 * Math.min(gap / span, 1);
  element(svg, "path", { d: "M500,50H620", stroke: "black", "stroke-width": 2 });
  element(svg, "text", { x: 620, y: 43, "text-anchor": "end" }, "log p(x)");
  for (let gap = 0; gap <= span; gap++) {
    element(svg, "text", { x: 494, y: y(gap) + 4, "text-anchor": "end" }, gap ? `−${gap}` : "0");
    element(svg, "path", { d: `M496,${y(gap)}h4`, stroke: "black" });
  }
  element(svg, "path", { d: "M500,50V300H620", stroke: "black", fill: "none" });
  element(svg, "text", { x: 560, y: 319, "text-anchor": "middle" }, "nats from log p(x)");
  const kl = element(svg, "rect", { x: 525, width: 70, y: 50, fill: ORANGE, "fill-opacity": 0.35,
    stroke: ORANGE, "stroke-dasharray": "2 2" });
  const bar = element(svg, "rect", { x: 525, width: 70, fill: BLUE, "fill-opacity": 0.85 });
  return { frame, move(loc, logScale) {
    moveQ(loc, logScale);
    const bound = elbo(data, loc, logScale), gap = Math.max(data.exact - bound, 0);
    kl.setAttribute("height", y(gap) - 50);
    bar.setAttribute("y", y(gap));
    bar.setAttribute("height", 300 - y(gap));
    return [
      ["ELBO", `${bound.toFixed(3)} nats`],
      ["KL(q ‖ posterior)", `${gap.toFixed(3)} nats`],
      ["log p(x), exact", `${data.exact.toFixed(3)} nats`],
    ];
  } };
}

function slider(parent, label, low, high, value, show, changed) {
  const row = element(parent, "label", { style: "display:flex;gap:.7em;align-items:center" });
  element(row, "span", { style: "width:13em" }, label);
  const step = (high - low) / 200; // one press of an arrow key
  const min = value - Math.ceil((value - low) / step) * step; // so that the start is a step
  const input = element(row, "input", { type: "range", min, max: high, step, value,
    style: "flex:1", "aria-label": label, ...OWN_KEYS });
  const output = element(row, "output", { style: "width:5em;text-align:right" });
  const update = () => {
    output.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { update(); changed(); });
  update();
  return input;
}

function explore(root, data) {
  if (root.dataset.ready) return;
  root.dataset.ready = "yes";
  root.replaceChildren();
  root.style.maxWidth = "640px";
  const svg = element(root, "svg", { viewBox: "0 0 640 345", role: "img", "aria-label": data.title,
    "font-family": "sans-serif", "font-size": 13,
    style: "width:100%;background:white;touch-action:none;user-select:none;cursor:ew-resize" });
  const figure = data.kind === "proposal" ? drawProposal(svg, data) : drawBound(svg, data);
  const controls = element(root, "div", {});
  const readout = element(root, "dl", { "aria-live": "polite",
    style: "display:grid;grid-template-columns:13em 1fr;gap:.1em .7em;margin:.5em 0" });
  const high = figure.frame.high, reach = high - data.low, isBound = data.kind === "bound";
  const draw = () => {
    readout.replaceChildren();
    for (const [name, value] of figure.move(Number(loc.value), Number(logScale.value))) {
      const style = "float:none;width:auto;margin:0;font-weight:inherit"; // whatever the page says
      element(readout, "dt", { style }, name);
      element(readout, "dd", { style }, value);
    }
  };
  const loc = slider(controls, "mean of q", data.low, high, data.loc, (v) => v.toFixed(2), draw);
  const logScale = slider(controls, isBound ? "log scale of q" : "standard deviation of q",
    Math.log(reach / 200), Math.log(reach / 2), data.logScale,
    (v) => (isBound ? v : Math.exp(v)).toFixed(2), draw);
  if (!isBound) {
    const button = element(controls, "button", { type: "button", ...OWN_KEYS }, "new draws");
    button.addEventListener("click", () => {
      data.noise = data.noise.map(() => Math.sqrt(-2 * Math.log(1 - Math.random()))
        * Math.cos(2 * Math.PI * Math.random()));
      draw();
    });
  }
  const drag = (event) => {
    const box = svg.getBoundingClientRect(), place = (event.clientX - box.left) * 640 / box.width;
    loc.value = data.low + reach * (place - LEFT) / (figure.frame.right - LEFT);
    loc.dispatchEvent(new Event("input"));
  };
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    drag(event);
  });
  svg.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  draw();
}
