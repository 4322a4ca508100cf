/* The script of a load's page: draws the charts of the element #charts with uPlot. */
"use strict";

(() => {
  // Lines differ by their dashes as well as by their colours.
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [1, 5]];
  const BORDERS = ["solid", "dashed", "dotted", "double", "groove"];
  // From this ratio of the greatest value to the least, a distribution has a logarithmic axis.
  const WIDE = 40;

  const charts = JSON.parse(document.getElementById("charts").textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const short = (value) =>
    value >= 1e6 ? `${+(value / 1e6).toPrecision(3)}M` : value >= 1e4 ? `${+(value / 1e3).toPrecision(3)}k` : `${+value.toPrecision(4)}`;

  const share = (x) => `${+(100 * (1 - 10 ** -x)).toFixed(Math.max(0, Math.ceil(x) - 1 + (Number.isInteger(x) ? 0 : 2)))} %`;

  const elapsed = (seconds) =>
    seconds < 60 ? `${+seconds.toFixed(2)} s` : `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  const axis = (more) => ({
    stroke: color("--muted"),
    grid: { stroke: color("--rule"), width: 1 },
    ticks: { stroke: color("--rule"), width: 1 },
    font: "12px system-ui, sans-serif",
    ...more,
  });

  const nines = (u, index, least, most) => {
    const splits = [];
    for (let x = Math.ceil(least); x <= most; x += 1) splits.push(x);
    return splits;
  };

  const draw = (place, chart) => {
    const values = chart.lines.flatMap((line) => line.values).filter((value) => value !== null);
    const most = Math.max(...values);
    const least = Math.min(...values.filter((value) => value > 0));
    const isDistribution = chart.kind === "percentiles";
    const logarithmic = isDistribution && most > WIDE * least;
    const shown = (value) => (value === null || value === undefined ? "–" : `${short(value)}${chart.unit && ` ${chart.unit}`}`);
    const describe = isDistribution ? share : elapsed;
    const line = (each, index) => ({
      label: each.label,
      stroke: color(`--line-${(index % 5) + 1}`),
      dash: DASHES[index % 5],
      width: 2,
      spanGaps: true,
      points: { show: each.values.filter((value) => value !== null).length < 3 },
      paths: isDistribution ? uPlot.paths.stepped({ align: -1 }) : undefined,
      value: (u, value) => shown(value),
    });
    const y = logarithmic ? { distr: 3, log: 10 } : { range: [0, most > 0 ? most * 1.05 : 1] };
    // A single value has no extent.
    const last = Math.max(chart.x.at(-1), isDistribution ? 1 : chart.x[0] + 1);
    return new uPlot(
      {
        width: place.clientWidth,
        height: 240,
        legend: { markers: { dash: (u, index) => BORDERS[(index - 1) % 5] } },
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        scales: { x: { time: false, range: [isDistribution ? 0 : chart.x[0], last] }, y },
        axes: [
          axis({ size: 32, values: (u, ticks) => ticks.map(describe), ...(isDistribution ? { splits: nines } : {}) }),
          axis({ size: 56, values: (u, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick))) }),
        ],
        series: [{ label: isDistribution ? "percentile" : "time", value: (u, x) => (x === null ? "–" : describe(x)) }, ...chart.lines.map(line)],
      },
      [chart.x, ...chart.lines.map((each) => each.values)],
      place,
    );
  };

  let plots = [];
  const redraw = () => {
    plots.forEach((plot) => plot.destroy());
    plots = [...document.querySelectorAll(".chart")].map((place) => draw(place, charts[place.dataset.chart]));
  };

  let width = 0;
  addEventListener("resize", () => {
    if (innerWidth !== width) {
      width = innerWidth;
      redraw();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  width = innerWidth;
  redraw();
})();
