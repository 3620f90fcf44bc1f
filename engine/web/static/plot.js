// plot.js: plots that zoom. Where uPlot was built in it draws; else the server's drawing stays, which zooms by its links.
"use strict";
(function () {
  function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function axis(label) {
    var soft = color("--soft"), line = color("--line");
    return { label: label, stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  }
  function button(text, fn) {
    var b = document.createElement("button");
    b.type = "button";
    b.textContent = text;
    b.addEventListener("click", fn);
    return b;
  }
  function save(name, type, text) {
    var a = document.createElement("a");
    a.href = URL.createObjectURL(new Blob([text], { type: type }));
    a.download = name;
    a.click();
    URL.revokeObjectURL(a.href);
  }

  function plot(figure) {
    var kind = figure.dataset.plot, url = figure.dataset.url, drawn = figure.querySelector("svg.plot"), host = document.createElement("div");
    var view = {}, data = null, chart = null, logarithmic = false, asked = 0, period = Number(figure.dataset.period) || null;
    if (figure.dataset.from) view = { from: figure.dataset.from, to: figure.dataset.to };
    host.className = "host";
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", drawn.getAttribute("aria-label"));

    function series() {
      if (kind === "fold") return [{ label: "days" }, { label: "even", stroke: color("--fill-cyan"), paths: function () { return null; }, points: { show: true, size: 4 } },
        { label: "odd", stroke: color("--fill-magenta"), paths: function () { return null; }, points: { show: true, size: 4 } },
        { label: "all", stroke: color("--ink"), width: 1.5, spanGaps: true, points: { show: false } }];
      var ink = color("--plot");
      if (data.lo) return [{ label: data.xname }, { label: "least", stroke: ink, width: 1, points: { show: false } }, { label: "greatest", stroke: ink, width: 1, points: { show: false } }];
      if (data.xname === "period") return [{ label: data.xname }, { label: data.yname, stroke: ink, width: 1.2, points: { show: false } }];
      return [{ label: data.xname }, { label: data.yname, stroke: ink, paths: function () { return null; }, points: { show: true, size: 3.5, fill: ink } }];
    }
    function rows() {
      if (kind === "fold") return [data.x, data.even, data.odd, data.all];
      return data.lo ? [data.x, data.lo, data.hi] : [data.x, data.y];
    }
    function draw() {
      if (chart) chart.destroy();
      host.textContent = "";
      var options = {
        width: Math.max(280, figure.clientWidth), height: Math.min(320, Math.max(220, figure.clientWidth * 0.5)), series: series(),
        scales: { x: { time: false, distr: logarithmic ? 3 : 1 } },
        axes: [axis(kind === "fold" ? "days from mid-transit" : data.xname + " / " + data.xunit), axis(kind === "fold" ? "flux" : data.yname)],
        cursor: { drag: { x: true, y: false, setScale: kind === "fold" } }, legend: { live: true },
        bands: data.lo ? [{ series: [2, 1], fill: color("--plot") + "66" }] : undefined,
        hooks: { setSelect: [function (u) {
          if (kind === "fold" || u.select.width < 3) return;
          load({ from: u.posToVal(u.select.left, "x"), to: u.posToVal(u.select.left + u.select.width, "x") });
        }], ready: [function (u) {
          u.over.addEventListener("dblclick", function (e) { e.stopImmediatePropagation(); reset(); }, true);
          u.over.addEventListener("wheel", wheel, { passive: false });
        }] }
      };
      options.axes[1].size = 76;
      chart = new uPlot(options, rows(), host);
      figure.dataset.points = data.x.length;
      figure.dataset.drawn = (Number(figure.dataset.drawn) || 0) + 1;
    }
    function wheel(e) {
      if (!e.ctrlKey || kind === "fold") return;
      e.preventDefault();
      var at = chart.posToVal(e.offsetX, "x"), f = e.deltaY > 0 ? 1.4 : 1 / 1.4;
      load({ from: at - (at - data.from) * f, to: at + (data.to - at) * f });
    }
    function load(to) {
      var ticket = ++asked, query = [];
      view = to;
      if (kind === "fold") { if (period) query.push("period=" + period); } else {
        query.push("columns=" + Math.max(200, Math.min(2000, figure.clientWidth)));
        if (to.from !== undefined) query.push("from=" + to.from, "to=" + to.to);
      }
      return fetch(url + "?" + query.join("&")).then(function (r) { if (!r.ok) throw new Error(r.status); return r.json(); }).then(function (d) {
        if (ticket !== asked) return;
        data = d;
        if (host.parentNode !== figure) drawn.replaceWith(host);
        draw();
      }).catch(function () { /* what was drawn stays */ });
    }
    function reset() { period = Number(figure.dataset.period) || null; load({}); }
    function pan(by) {
      var span = data.to - data.from;
      load({ from: Math.max(data.first, data.from + by * span), to: Math.min(data.last, data.to + by * span) });
    }
    function csv() {
      var r = rows(), text = (kind === "fold" ? "phase,even,odd,all" : data.lo ? "x,lo,hi" : "x,y") + "\n";
      for (var i = 0; i < data.x.length; i++) text += r.map(function (c) { return c[i] === null ? "" : c[i]; }).join(",") + "\n";
      save("plot.csv", "text/csv", text);
    }
    var links = figure.nextElementSibling;
    if (links && links.classList.contains("zoom")) {
      if (kind === "fold") {
        var slider = document.createElement("input");
        slider.type = "range";
        slider.min = -1;
        slider.max = 1;
        slider.step = 0.01;
        slider.value = 0;
        slider.setAttribute("aria-label", "period, up to 1 % from here");
        var base = period;
        slider.addEventListener("input", function () { period = base * (1 + slider.value / 100); slider.title = period + " d"; load({}); });
        links.prepend(slider);
        links.append(button("Reset", function () { slider.value = 0; reset(); }));
      } else {
        links.replaceChildren(button("Reset", reset), button("\u2190", function () { pan(-0.5); }), button("\u2192", function () { pan(0.5); }),
          button("Log", function () { logarithmic = !logarithmic; draw(); }), button("Data", csv));
        links.append(" drag zooms, Ctrl and wheel too; double click goes back");
      }
    }
    figure.tabIndex = 0;
    figure.addEventListener("keydown", function (e) {
      if (e.target !== figure) return;
      if (e.key === "0") reset();
      else if (e.key === "l") { logarithmic = !logarithmic; draw(); }
      else if (e.key === "d") csv();
      else if (e.key === "s") save("plot.svg", "image/svg+xml", drawn.outerHTML);
      else if (e.key === "ArrowLeft" && kind !== "fold") pan(-0.25);
      else if (e.key === "ArrowRight" && kind !== "fold") pan(0.25);
      else if (kind === "fold" && (e.key === "[" || e.key === "]")) { period = e.key === "[" ? period / 2 : period * 2; load({}); }
      else return;
      e.preventDefault();
      e.stopPropagation();
    });
    document.addEventListener("eas-theme", function () { if (data) draw(); });
    window.addEventListener("resize", function () { if (chart) chart.setSize({ width: Math.max(280, figure.clientWidth), height: chart.height }); });
    load(view);
  }

  if (window.uPlot) document.querySelectorAll("figure[data-plot]").forEach(plot);
})();
