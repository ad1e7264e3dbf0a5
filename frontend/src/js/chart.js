// The cumulative chart: planned, delivered and cover over zone bands, with today's line. Data come from data-chart.
import uPlot from "uplot";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const chinese = document.documentElement.lang.startsWith("zh");
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const amount = (value) => (value == null ? "" : value.toLocaleString("en-US").replace("-", "−"));

function day(seconds) {
  const date = new Date(seconds * 1000); // dates of the site, sent as midnight UTC
  return chinese
    ? `${date.getUTCMonth() + 1}月${date.getUTCDate()}日`
    : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function monthOfYear(seconds) {
  const date = new Date(seconds * 1000);
  return chinese
    ? `${date.getUTCFullYear()}年${date.getUTCMonth() + 1}月`
    : `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

function monthStarts(from, to, most) {
  const first = new Date(from * 1000);
  const starts = [];
  for (let month = first.getUTCMonth(); ; month++) {
    const at = Date.UTC(first.getUTCFullYear(), month, 1) / 1000;
    if (at > to) break;
    if (at >= from) starts.push(at);
  }
  const every = Math.ceil(starts.length / most);
  return starts.filter((_, index) => index % every === 0);
}

/** A round end of the scale a little above the highest value. */
function top(high) {
  const room = Math.max(high, 5) * 1.12; // words stand above the lines; below 5 the axis would count in fractions
  const step = 10 ** Math.floor(Math.log10(room)) / 5;
  return Math.ceil(room / step) * step;
}

/** Grounds behind the lines: one band a zone, the forecast hatched, today as a dotted line. */
function drawZones(plot, chart) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const across = (value) => Math.min(Math.max(plot.valToPos(value, "x", true), bbox.left), bbox.left + bbox.width);
  ctx.save();
  ctx.font = `600 ${12 * ratio}px ${token("--font")}`;
  ctx.textBaseline = "top";
  for (const zone of chart.zones) {
    const left = across(zone.from);
    const width = across(zone.to) - left;
    if (width <= 0) continue;
    ctx.fillStyle = token(`--chart-${zone.key === "tradeoff" ? "trade" : zone.key}`);
    ctx.fillRect(left, bbox.top, width, bbox.height);
    if (zone.key === "forecast") hatch(ctx, left, bbox.top, width, bbox.height, ratio);
    ctx.fillStyle = token({ firm: "--firm-head", tradeoff: "--trade-head-ink", forecast: "--forecast-head-ink" }[zone.key]);
    if (ctx.measureText(zone.name).width + 12 * ratio < width) ctx.fillText(zone.name, left + 7 * ratio, bbox.top + 6 * ratio);
  }
  const today = across(chart.today);
  ctx.strokeStyle = ctx.fillStyle = token("--risk-ground");
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(today, bbox.top);
  ctx.lineTo(today, bbox.top + bbox.height);
  ctx.stroke();
  ctx.textAlign = today - bbox.left > 60 * ratio ? "right" : "left";
  ctx.fillText(chart.words.today, today + (ctx.textAlign === "right" ? -6 : 6) * ratio, bbox.top + 6 * ratio);
  ctx.restore();
}

function hatch(ctx, left, top, width, height, ratio) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = token("--forecast-head");
  ctx.lineWidth = ratio;
  for (let x = left - height; x < left + width; x += 9 * ratio) {
    ctx.beginPath();
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
    ctx.stroke();
  }
  ctx.restore();
}

function tip(place, chart) {
  const box = Object.assign(document.createElement("div"), { className: "cf-chart-tip", hidden: true });
  place.append(box);
  return (plot) => {
    const { idx, left } = plot.cursor;
    box.hidden = idx == null || left < 0;
    if (box.hidden) return;
    box.replaceChildren(Object.assign(document.createElement("b"), { textContent: day(plot.data[0][idx]) }));
    plot.series.slice(1).forEach((series, at) => {
      const value = plot.data[at + 1][idx];
      if (value != null) box.append(`${series.label} ${amount(value)}`, document.createElement("br"));
    });
    const right = left + box.offsetWidth + 90 > place.clientWidth;
    box.style.left = `${left + plot.bbox.left / devicePixelRatio + (right ? -box.offsetWidth - 12 : 12)}px`;
    box.style.top = "34px";
  };
}

function draw(place) {
  const chart = JSON.parse(place.dataset.chart);
  const long = chart.x.at(-1) - chart.x[0] > 366 * 86400; // a day without its year would stand there twice
  const few = chart.x.length < 3; // too few for a line to be seen
  const stepped = uPlot.paths.stepped({ align: 1 });
  const line = (label, key, width, dash, fill) => ({
    label, stroke: token(`--chart-${key}`), width, dash, fill, paths: stepped, points: { show: few, size: 9 }, spanGaps: false,
  });
  const series = [
    {},
    line(chart.words.planned, "planned", 2.5, [7, 4]),
    line(chart.words.delivered, "delivered", 4, undefined, "rgb(11 122 155 / 10%)"),
  ];
  const data = [chart.x, chart.planned, chart.delivered];
  if (chart.cover) {
    series.push(line(chart.words.cover, "cover", 3, [3, 3]));
    data.push(chart.cover);
  }
  if (chart.shipped) {
    series.push(line(chart.words.shipped, "delivered", 1.5, [2, 4]));
    data.push(chart.shipped);
  }
  const axis = { font: `12px ${token("--font")}`, stroke: token("--ink-2"), ticks: { show: false } };
  const size = () => ({ width: place.clientWidth, height: place.clientHeight });
  const plot = new uPlot({
    ...size(),
    series,
    legend: { show: false },
    padding: [10, 4, 0, 0],
    cursor: { points: { show: false }, y: false, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), top(high)] } },
    axes: [
      { ...axis, grid: { show: false }, ticks: { show: true, size: 5, stroke: token("--control-line"), width: 1 },
        splits: (self, _, from, to) => monthStarts(from, to - (long ? 32 : 22) * (to - from) / self.width, self.width < 480 ? 3 : 8), // the last name whole
        values: (_, ticks) => ticks.map(long ? monthOfYear : day) },
      { ...axis, size: 54, grid: { stroke: token("--line"), width: 1 }, values: (_, ticks) => ticks.map(amount) },
    ],
    hooks: { drawClear: [(self) => drawZones(self, chart)], setCursor: [tip(place, chart)] },
  }, data, place);
  plot.root.querySelectorAll("canvas").forEach((canvas) => canvas.setAttribute("aria-hidden", "true"));
  const watch = new ResizeObserver(() => place.isConnected && plot.setSize(size()));
  watch.observe(place);
  drawn.set(place, { data: place.dataset.chart, end: () => (watch.disconnect(), plot.destroy(), place.replaceChildren()) });
}

const drawn = new WeakMap();

/** A swap may bring a new place or new data for the old one; what did not change is not drawn again. */
function drawAll() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    if (drawn.get(place)?.data === place.dataset.chart) continue;
    drawn.get(place)?.end();
    draw(place);
  }
}

drawAll();
document.addEventListener("cf:swapped", drawAll);
