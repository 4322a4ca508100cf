/* The script of the live page. It shows what /events sends, as text only: nothing that a peer has
   chosen is ever read as HTML. */
"use strict";

(() => {
  const MOST_POINTS = 600;
  const STATES = ["negotiating", "handshake", "open", "closing", "draining"];
  // Lines of several servers differ by their dashes as well as by their colours.
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [1, 5]];

  const find = (selector) => document.querySelector(selector);
  const status = find("#status");
  const pause = find("#pause");
  const columns = [...document.querySelectorAll("#server thead th")].map((each) => each.textContent);
  let series = [];
  let durations = [];
  let charts = [];
  let stream = null;

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // What a chart draws: a label and the values of each line, over `at`.
  const lines = {
    states: () =>
      series.length > 1
        ? perSeries("", (h) => h.open.map((value, i) => sum(STATES.map((name) => h[name][i]))))
        : series.flatMap((each) => STATES.map((name) => line(each, name, each.history[name]))),
    handshakes: () => [
      ...perSeries("handshakes", (h) => h.handshakes),
      ...perSeries("failures", (h) => h.failures),
    ],
    events: () => perSeries("", (h) => h.events),
    bytes_per_event: () => perSeries("", (h) => h.bytes_per_event),
    cleartext: () => [
      ...perSeries("received", (h) => h.received.map((value) => value / 1e6)),
      ...perSeries("sent", (h) => h.sent.map((value) => value / 1e6)),
    ],
    lag: () => perSeries("", (h) => h.lag),
  };

  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const line = (each, label, values) => ({ label, at: each.history.at, values });
  const perSeries = (what, values) =>
    series.map((each) => line(each, what && series.length > 1 ? `${each.name}, ${what}` : what || each.name, values(each.history)));

  // Servers are shown from the same beginning, although their points lie at different times.
  const aligned = (drawn) =>
    drawn.length > 1 && drawn.some((each) => each.at !== drawn[0].at)
      ? uPlot.join(drawn.map((each) => [each.at, each.values]))
      : [drawn[0]?.at ?? [], ...drawn.map((each) => each.values)];

  const elapsed = (seconds) =>
    seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

  const short = (value) =>
    value >= 1e6 ? `${+(value / 1e6).toPrecision(3)}M` : value >= 1e4 ? `${+(value / 1e3).toPrecision(3)}k` : `${+value.toPrecision(4)}`;

  const frame = (place, more) => ({
    width: place.clientWidth,
    height: 200,
    legend: { live: false },
    cursor: { show: false },
    ...more,
  });

  const axis = (values, size) => ({
    stroke: color("--muted"),
    grid: { stroke: color("--rule"), width: 1 },
    ticks: { stroke: color("--rule"), width: 1 },
    font: "12px system-ui, sans-serif",
    values,
    size,
  });

  const numbers = () => axis((u, ticks) => ticks.map(short), 48);
  const range = (u, low, high) => [0, high > 0 ? high * 1.05 : 1];

  const timeChart = (place, name) => {
    const drawn = lines[name]();
    const make = (each, index) => ({
      label: each.label,
      stroke: color(`--line-${(index % 5) + 1}`),
      dash: DASHES[index % 5],
      width: 2,
      spanGaps: true,
      points: { show: false },
    });
    const options = frame(place, {
      scales: { x: { time: false }, y: { range } },
      axes: [axis((u, ticks) => ticks.map(elapsed), 32), numbers()],
      series: [{ label: "time" }, ...drawn.map(make)],
    });
    const plot = new uPlot(options, aligned(drawn), place);
    return { plot, count: drawn.length, update: () => plot.setData(aligned(lines[name]())) };
  };

  const time = (seconds) => (seconds < 1 ? `${short(seconds * 1000)} ms` : `${short(seconds)} s`);
  const bucket = (index) => (index < durations.length ? `≤ ${time(durations[index])}` : `> ${time(durations.at(-1))}`);

  const barChart = (place) => {
    const count = Math.max(series.length, 1);
    const data = () => [
      [...durations.keys(), durations.length],
      ...series.map((each) => (each.handshakes.length ? each.handshakes : Array(durations.length + 1).fill(0))),
    ];
    const make = (each, index) => ({
      label: each.name,
      stroke: color(`--line-${(index % 5) + 1}`),
      fill: count < 3 ? color(`--line-${(index % 5) + 1}`) : undefined,
      dash: count < 3 ? [] : DASHES[index % 5],
      paths: count < 3 ? uPlot.paths.bars({ size: [count === 1 ? 0.8 : 0.4], align: count === 1 ? 0 : index ? 1 : -1 }) : undefined,
      points: { show: false },
    });
    const options = frame(place, {
      scales: { x: { time: false, range: [-0.7, durations.length + 0.7] }, y: { range } },
      axes: [
        { ...axis((u, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? bucket(tick) : "")), 60), rotate: -50, space: 30 },
        numbers(),
      ],
      series: [{ label: "duration" }, ...series.map(make)],
    });
    const plot = new uPlot(options, data(), place);
    return { plot, count: series.length, update: () => plot.setData(data()) };
  };

  const draw = () => {
    find("#charts").hidden = false;
    charts.forEach((each) => each.plot.destroy());
    charts = [...document.querySelectorAll(".chart")].map((place) => {
      const name = place.dataset.chart;
      return name === "durations" ? barChart(place) : timeChart(place, name);
    });
  };

  const texts = (message) => {
    for (const each of message.series) {
      const known = { ...each.texts, ...each.load };
      for (const cell of document.querySelectorAll("td[data-figure]")) {
        if (cell.dataset.series === each.name && cell.dataset.figure in known) {
          const text = known[cell.dataset.figure];
          if (cell.textContent !== text) cell.textContent = text;
        }
      }
    }
    if (message.failures) fill("#failures", message.failures.map((text) => [text]));
    if (message.connections) connections(message.connections);
  };

  const item = (parts) => {
    const made = document.createElement("li");
    made.append(...parts);
    return made;
  };

  const fill = (selector, items) => find(selector)?.replaceChildren(...items.map(item));

  // The items stay what they are while their connection is in the list, so that a click or the focus
  // is not lost.
  const connections = (list) => {
    const place = find("#connections");
    // A run of several servers has none.
    if (!place) return;
    const known = new Map([...place.children].map((each) => [each.dataset.number, each]));
    const items = list.map((each) => {
      const made = known.get(String(each.number)) ?? connection(each);
      const state = made.querySelector("span");
      if (state.textContent !== each.state) state.textContent = each.state;
      return made;
    });
    [...known.values()].filter((each) => !items.includes(each)).forEach((each) => each.remove());
    items.forEach((each, index) => {
      if (place.children[index] !== each) place.insertBefore(each, place.children[index] ?? null);
    });
  };

  const connection = (each) => {
    const link = document.createElement("a");
    link.href = `/connections/${each.number}`;
    link.textContent = `${each.began} #${each.number} from ${each.peer}`;
    const made = item([link, " ", document.createElement("span")]);
    made.dataset.number = each.number;
    return made;
  };

  const begin = (message) => {
    series = message.series;
    durations = message.durations;
    texts(message);
    draw();
    say("live");
  };

  const next = (message) => {
    if (message.series.map((each) => each.name).join("\n") !== columns.join("\n")) {
      location.reload();
      return;
    }
    message.series.forEach((each, index) => {
      const { history } = series[index];
      if (each.point && each.point[0] !== history.at.at(-1)) {
        Object.values(history).forEach((column, number) => {
          column.push(each.point[number]);
          if (column.length > MOST_POINTS) column.shift();
        });
      }
      series[index].handshakes = each.handshakes;
    });
    texts(message);
    charts.forEach((each) => each.update());
  };

  const history = (message) => {
    if (message.series.map((each) => each.name).join("\n") !== columns.join("\n")) location.reload();
    else begin(message);
  };

  const connect = () => {
    stream = followEvents({ history, frame: next }, say);
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    if (stream) {
      stream.close();
      stream = null;
      say("paused");
      pause.textContent = "Continue";
    } else {
      connect();
      pause.textContent = "Pause";
    }
  });

  const redraw = () => series.length && draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) {
      width = innerWidth;
      redraw();
    }
  });
  connect();
})();
