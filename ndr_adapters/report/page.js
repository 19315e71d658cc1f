"use strict";
// Draws the plots of a report, and the tables that are their text form. All texts of logs go in as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const UNKNOWN = "–";
  const HOUR = 3600;

  // Values as people read them: as `shown_as` of the core does.
  const grouped = (value, digits) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const pad = (value) => String(value).padStart(2, "0");
  const texts = {
    text: String,
    time: (value) => {
      const at = new Date(value * 1000);
      const date = `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
      return `${date} ${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
    },
    count: (value) => grouped(value, 0),
    number: (value) => grouped(value, Math.abs(value) < 10 ? 3 : 1),
    bytes: (value) => {
      const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
      let size = value, unit = 0;
      while (Math.abs(size) >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
      return `${unit ? grouped(size, 1) : grouped(size, 0)} ${units[unit]}`;
    },
  };
  const shown = (value, kind) => (value === null || value === undefined ? UNKNOWN : texts[kind](value));

  // What plots read: each value under its column's name, times in ms, and its text.
  const objects = (listing) => listing.rows.map((row) => {
    const made = {};
    listing.columns.forEach(([name, , kind], place) => {
      const value = row[place];
      made[name] = kind === "time" && value !== null ? value * 1000 : value;
      made[`${name}_text`] = shown(value, kind);
    });
    return made;
  });

  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  const isNumber = (kind) => kind !== "text" && kind !== "time";

  function table(listing, caption) {
    const made = element("table");
    made.append(element("caption", caption));
    const head = made.createTHead().insertRow();
    for (const [, title, kind] of listing.columns) {
      head.append(element("th", title, { scope: "col", ...(isNumber(kind) ? { class: "number" } : {}) }));
    }
    const body = made.createTBody();
    for (const row of listing.rows) {
      const line = body.insertRow();
      listing.columns.forEach(([, , kind], place) => {
        const cell = line.insertCell();
        cell.textContent = shown(row[place], kind);
        if (isNumber(kind)) cell.className = "number";
      });
    }
    return made;
  }

  const scrolling = (content, label) => {
    const made = element("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": label });
    made.append(content);
    return made;
  };

  // Colours stand in the style sheet alone; the browser says what they are now.
  const probe = element("span", undefined, { hidden: "" });
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const range = (name, count) => Array.from({ length: count }, (_, place) => colour(`${name}-${place}`));

  function config() {
    const [ink, muted, line, accent] = ["ink", "muted", "line", "accent"].map(colour);
    const narrow = window.innerWidth < 560;
    return {
      background: null,
      font: "system-ui, 'DejaVu Sans', sans-serif",
      view: { stroke: null },
      axis: { labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line,
              titleFontWeight: "normal", labelOverlap: true, ...(narrow ? { labelFontSize: 9 } : {}) },
      axisX: { grid: false, labelFlush: true, tickCount: narrow ? 4 : 8 },
      axisY: { tickCount: 4 },
      legend: { labelColor: ink, titleColor: muted, titleFontWeight: "normal", gradientStrokeWidth: 0 },
      range: { category: range("series", 6), heatmap: range("heat", 4), ramp: range("heat", 4) },
      // The table below a plot is its text form; thousands of marks read aloud would be none.
      mark: { aria: false, color: accent },
      line: { strokeWidth: 1.5 },
      style: {
        value: { color: accent },
        band: { color: colour("band") },
        median: { color: colour("median") },
        limit: { color: colour("limit") },
      },
    };
  }

  const isKnown = (row, names) => names.every((name) => row[name] !== null && row[name] !== undefined);

  const greatest = (rows, ...names) =>
    rows.reduce((most, row) => Math.max(most, ...names.map((name) => row[name] ?? 0)), 0);

  // Whether what is usual would be a line at the bottom of a plot that has room for the largest value.
  function hasSpike(rows) {
    const usual = greatest(rows, "p75");
    return usual > 0 && greatest(rows, "value", "p99") > 20 * usual;
  }

  // How high the amounts of windows stand: by their powers of 10 where there is a spike.
  function amounts({ axis }, rows) {
    const largest = greatest(rows, "value", "p99");
    // Vega puts a scale from 0 to 0 in the middle.
    if (!largest) return { scale: { domain: [0, 1] } };
    if (!hasSpike(rows)) return {};
    const usual = greatest(rows, "p75");
    const values = [0];
    for (let power = 10 ** Math.floor(Math.log10(usual)); power <= largest; power *= 10) values.push(power);
    return {
      scale: { type: "symlog", constant: usual / 10, domain: [0, largest], nice: false },
      axis: { ...axis, values },
    };
  }

  // A chart with its rows; null where none of the columns that it needs is known in any of them.
  function specOf(chart, rows, title) {
    const { usermeta, ...spec } = data.charts[chart];
    if (!usermeta.needs.some((name) => rows.some((row) => isKnown(row, [name])))) return null;
    if (spec.layer) {
      spec.layer = spec.layer
        .filter((layer) => rows.some((row) => isKnown(row, layer.usermeta.needs)))
        .map(({ usermeta: _, ...layer }) => layer);
    }
    if (chart === "windows") {
      const { encoding } = spec;
      spec.encoding = { ...encoding, y: { ...encoding.y, ...amounts(encoding.y, rows) } };
    }
    if (spec.height.step) {
      spec.height = spec.height.step * new Set(rows.map((row) => row[spec.encoding.y.field])).size;
    }
    return { ...spec, description: title, data: { name: "rows", values: rows } };
  }

  // Every plot that is on the page, and how it is drawn again in another theme.
  const plots = new Map();

  function draw(place, chart, rows, title) {
    plots.get(place)?.view?.finalize();
    const plot = { chart, rows, title, view: null };
    plots.set(place, plot);
    const spec = specOf(chart, rows, title);
    if (!spec) {
      place.replaceChildren(element("p", "Nothing to draw: no such number is known in this time."));
      return Promise.resolve();
    }
    return vegaEmbed(place, spec, {
      mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, config: config(),
      tooltip: { disableDefaultStyle: true },
    }).then((made) => { if (plots.get(place) === plot) plot.view = made; else made.finalize(); });
  }

  const redraw = () =>
    Promise.all([...plots].map(([place, plot]) => draw(place, plot.chart, plot.rows, plot.title)));

  function forget(parent) {
    for (const [place, plot] of plots) {
      if (parent.contains(place)) { plot.view?.finalize(); plots.delete(place); }
    }
    parent.replaceChildren();
  }

  // A figure's table is made when it is opened.
  function asTable(details, listing, caption) {
    const rows = details.querySelector(".rows");
    rows.replaceChildren();
    const fill = () => {
      if (details.open && !rows.hasChildNodes()) rows.append(scrolling(table(listing(), caption), caption));
    };
    details.ontoggle = fill;
    fill();
  }

  function figure(name, chart, listing, rows = objects(listing)) {
    const made = document.querySelector(`[data-figure="${CSS.escape(name)}"]`);
    const title = made.querySelector("h3").textContent;
    asTable(made.querySelector("details"), () => listing, title);
    return draw(made.querySelector(".plot"), chart, rows, title);
  }

  function qualityFigures() {
    return [...document.querySelectorAll('[data-figure^="quality:"]')].map((made) => {
      const what = made.dataset.figure.slice("quality:".length);
      const place = data.quality.columns.findIndex(([name]) => name === "what");
      const rows = data.quality.rows.filter((row) => row[place] === what);
      return figure(made.dataset.figure, "quality", { columns: data.quality.columns, rows });
    });
  }

  function heat() {
    return figure("heat", `heat-${byId("measure").value}`, data.hours);
  }

  // The windows of a host in one role, metric by metric.
  const METRIC_KINDS = { bytes_sent_sum: "bytes", bytes_recv_sum: "bytes", ext_bytes_sent_sum: "bytes" };
  const METRIC_NOTES = { drop_ratio: "of 1,000 sessions" };

  function windowListing(windows, name, rows) {
    const kind = METRIC_KINDS[name] ?? "count";
    const columns = [
      ["start", "from (UTC)", "time"], ["end", "until (UTC)", "time"], ["value", name, kind],
      ...data.band.map((one) => [one, one, kind]), ["z", "upper_z", "number"], ["scope", "baseline of", "text"],
    ];
    const unknown = [...data.band.map(() => null), null];
    return {
      columns,
      rows: rows.map(([end, value, z, place]) => {
        const band = place === null ? unknown : windows.bands[place];
        return [end - data.window_minutes * 60, end, value, ...band.slice(0, -1), z, band.at(-1)];
      }),
    };
  }

  function windowFigure(windows, name, rows) {
    const listing = windowListing(windows, name, rows);
    const made = element("figure");
    const title = element("h4", `${name} `);
    const points = objects(listing).map((row) => (
      { ...row, middle: (row.start + row.end) / 2, is_marked: row.z !== null && row.z >= data.marked }
    ));
    const marked = points.filter((one) => one.is_marked).length;
    const notes = [
      METRIC_NOTES[name],
      marked ? `${marked} stand${marked === 1 ? "s" : ""} out` : null,
      hasSpike(points) ? "by powers of 10" : null,
    ];
    title.append(element("small", notes.filter(Boolean).join("; ")));
    const caption = element("figcaption");
    caption.append(title);
    const plot = element("div", undefined, { class: "plot" });
    const details = element("details", undefined, { class: "as-table" });
    details.append(element("summary", `${name}, as a table`), element("div", undefined, { class: "rows" }));
    made.append(caption, plot, details);
    byId("windows").append(made);
    asTable(details, () => listing, name);
    return draw(plot, "windows", points, name);
  }

  function showTable(id, columns, rows, caption, without) {
    byId(id).replaceChildren(
      rows.length ? scrolling(table({ columns, rows }, caption), caption) : element("p", without),
    );
  }

  function showWindows(host) {
    const windows = data.hosts[host].windows;
    const role = byId("role").value;
    forget(byId("windows"));
    const metrics = Object.entries(windows.metrics[role] ?? {});
    if (!metrics.length && data.window_minutes) {
      byId("windows").append(element("p", `${host} has no window in the role ${role}.`));
    }
    return metrics.map(([name, rows]) => windowFigure(windows, name, rows));
  }

  // The role in which more values stand out; of equal ones the first with windows.
  function tellingRole(metrics) {
    const marked = (role) => Object.values(metrics[role]).flat().filter(([, , z]) => z !== null && z >= data.marked).length;
    const roles = ["outbound", "inbound"].filter((role) => metrics[role]);
    return roles.sort((one, other) => marked(other) - marked(one))[0] ?? "outbound";
  }

  function showHost(host, role) {
    const detail = data.hosts[host];
    byId("chosen").value = host;
    byId("role").value = role ?? tellingRole(detail.windows.metrics);
    byId("reasons").textContent = `${host}: ${detail.reasons.join("; ")}.`;
    showTable("peers", data.columns.peers, detail.peers, `Peers of ${host}`, "It has no peers in this time.");
    showTable("beacons", data.columns.beacons, detail.beacons, `Regular pairs of ${host}`, "It has no regular pair.");
    const starts = { columns: data.columns.starts, rows: detail.starts };
    return [...showWindows(host), figure("starts", "starts", starts)];
  }

  // The theme: that of the system, until someone chooses.
  function themeButton() {
    const button = byId("theme");
    const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
    const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      name();
      redraw();
    });
    dark.addEventListener("change", () => { name(); redraw(); });
    name();
  }

  themeButton();
  const drawn = qualityFigures();
  const hosts = Object.keys(data.hosts);
  if (document.querySelector('[data-figure="sessions"]')) {
    const rows = objects(data.slices);
    drawn.push(figure("sessions", "sessions", data.slices, rows), figure("bytes", "bytes", data.slices, rows));
  }
  if (hosts.length) {
    data.hours.columns.push(["end", "until (UTC)", "time"]);
    const start = data.hours.columns.findIndex(([name]) => name === "start");
    data.hours.rows.forEach((row) => row.push(row[start] + HOUR));
    drawn.push(heat(), ...showHost(byId("chosen").options[0].value));
    byId("measure").addEventListener("change", heat);
    byId("chosen").addEventListener("change", (event) => showHost(event.target.value));
    byId("role").addEventListener("change", () => showHost(byId("chosen").value, byId("role").value));
    for (const button of document.querySelectorAll("button.host")) {
      button.addEventListener("click", () => {
        showHost(button.dataset.host);
        byId("host").scrollIntoView();
        byId("chosen").focus({ preventScroll: true });
      });
    }
  }
  Promise.all(drawn).then(() => { root.dataset.drawn = "yes"; });
})();
