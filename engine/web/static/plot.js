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

  function tell(text) { document.getElementById("say").textContent = text; }
  // Moves the fold of this page to a period; without one, goes to the page that has it.
  function fold_at(period) {
    var link = document.querySelector("a[data-peak]");
    if (document.querySelector('figure[data-plot="fold"]')) {
      document.dispatchEvent(new CustomEvent("eas-period", { detail: period }));
      document.querySelectorAll("a[data-peak]").forEach(function (a) {
        if (Number(a.dataset.peak) === period) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
      });
      tell("folded at " + period + " days");
    } else if (link) location.href = link.pathname + "?period=" + period + "#fold";
  }

  function plot(figure) {
    var kind = figure.dataset.plot, url = figure.dataset.url, drawn = figure.querySelector("svg.plot"), host = document.createElement("div");
    var view = {}, data = null, chart = null, logarithmic = false, asked = 0, period = Number(figure.dataset.period) || null;
    var base = period, slider = null, flagged = false, mark = Number(figure.dataset.marks) || null, t0 = Number(figure.dataset.t0), fingers = {};
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
      return [{ label: data.xname }, { label: data.yname, stroke: ink, paths: function () { return null; }, points: { show: true, size: 3.5, fill: ink } }].concat(!data.flagged_x || !data.flagged_x.length ? [] :
        [{ label: "flagged", stroke: color("--fill-red"), paths: function () { return null; }, points: { show: true, size: 4, fill: color("--fill-red") } }]);
    }
    // Mid-times of transits in view; of a periodogram the period that is folded at, its half and its double.
    function marks() {
      if (kind === "fold") return [0];
      if (mark) return [mark / 2, mark, mark * 2];
      var list = [];
      if (period && !isNaN(t0) && (data.to - data.from) / period < 200)
        for (var k = Math.ceil((data.from - t0) / period); t0 + k * period <= data.to; k++) list.push(t0 + k * period);
      return list;
    }
    function draw_marks(u) {
      var c = u.ctx;
      c.save();
      c.strokeStyle = color("--fill-yellow");
      c.lineWidth = window.devicePixelRatio || 1;
      c.setLineDash([5, 4]);
      marks().forEach(function (v) {
        var x = u.valToPos(v, "x", true);
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
        c.beginPath();
        c.moveTo(x, u.bbox.top);
        c.lineTo(x, u.bbox.top + u.bbox.height);
        c.stroke();
      });
      c.restore();
    }
    // The highest point of a periodogram within some pixels of a click: the fold follows.
    function pick(e) {
      if (!mark || chart.select.width > 2) return;
      var a = chart.posToVal(e.offsetX - 8, "x"), b = chart.posToVal(e.offsetX + 8, "x"), y = data.hi || data.y, best = -1;
      for (var i = 0; i < data.x.length; i++) if (data.x[i] >= a && data.x[i] <= b && (best < 0 || y[i] > y[best])) best = i;
      if (best >= 0) fold_at(data.x[best]);
    }
    // Two fingers: what is between them stays between them; what that shows is fetched when one is lifted.
    function touch(e) {
      if (e.pointerType !== "touch") return;
      var box = chart.over.getBoundingClientRect();
      if (e.type === "pointerdown") {
        fingers[e.pointerId] = { x: e.clientX - box.left };
        Object.keys(fingers).forEach(function (id) { fingers[id].value = chart.posToVal(fingers[id].x, "x"); });
      } else if (e.type === "pointermove" && fingers[e.pointerId]) {
        fingers[e.pointerId].x = e.clientX - box.left;
        var f = Object.values(fingers);
        if (f.length !== 2 || Math.abs(f[0].x - f[1].x) < 10) return;
        var per = (f[1].value - f[0].value) / (f[1].x - f[0].x), from = f[0].value - per * f[0].x;
        if (per > 0) { figure.pinched = { from: from, to: from + per * box.width }; chart.setScale("x", { min: figure.pinched.from, max: figure.pinched.to }); }
      } else if (e.type !== "pointermove") {
        delete fingers[e.pointerId];
        if (figure.pinched && kind !== "fold") load(figure.pinched);
        figure.pinched = null;
      }
    }
    // Shift and drag moves along: the scale at once, what it shows when the button is let go.
    function drag(e) {
      if (!e.shiftKey || e.button !== 0 || kind === "fold") return;
      e.preventDefault();
      var scale = chart.scales.x, per = (scale.max - scale.min) / chart.over.clientWidth, min = scale.min, max = scale.max, x = e.clientX, to = null;
      function move(m) {
        var by = (x - m.clientX) * per;
        to = { from: Math.max(data.first, min + by), to: Math.min(data.last, max + by) };
        chart.setScale("x", { min: to.from, max: to.to });
      }
      function stop() {
        document.removeEventListener("mousemove", move);
        document.removeEventListener("mouseup", stop);
        if (to && to.to > to.from) load(to);
      }
      document.addEventListener("mousemove", move);
      document.addEventListener("mouseup", stop);
    }
    function rows() {
      if (kind === "fold") return [data.x, data.even, data.odd, data.all];
      if (data.flagged_x && data.flagged_x.length) return uPlot.join([[data.x, data.y], [data.flagged_x, data.flagged_y]]);
      return data.lo ? [data.x, data.lo, data.hi] : [data.x, data.y];
    }
    function draw() {
      if (chart) chart.destroy();
      host.textContent = "";
      var options = {
        width: Math.max(280, figure.clientWidth), height: Math.min(320, Math.max(220, figure.clientWidth * 0.5)), series: series(),
        scales: { x: { time: false, distr: logarithmic ? 3 : 1 } },
        axes: [axis(kind === "fold" ? "days from mid-transit" : data.xname + " / " + data.xunit), axis(kind === "fold" ? "flux" : data.yname)],
        cursor: { drag: { x: true, y: false, setScale: kind === "fold" },
          bind: { mousedown: function (u, target, zoom) { return function (e) { if (!e.shiftKey || kind === "fold") zoom(e); }; } } }, legend: { live: true },
        bands: data.lo ? [{ series: [2, 1], fill: color("--plot") + "66" }] : undefined,
        hooks: { setSelect: [function (u) {
          if (kind === "fold" || u.select.width < 3) return;
          load({ from: u.posToVal(u.select.left, "x"), to: u.posToVal(u.select.left + u.select.width, "x") });
        }], ready: [function (u) {
          u.over.addEventListener("dblclick", function (e) { e.stopImmediatePropagation(); reset(); }, true);
          u.over.addEventListener("wheel", wheel, { passive: false });
          u.over.addEventListener("mousedown", drag);
          u.over.addEventListener("click", pick);
          ["pointerdown", "pointermove", "pointerup", "pointercancel"].forEach(function (name) { u.over.addEventListener(name, touch); });
        }], draw: [draw_marks] }
      };
      options.axes[1].size = 76;
      // As many digits as tell one tick from the next: flux is near 1.
      options.axes[1].values = function (u, splits, axis, space, step) {
        var digits = 0;
        while (digits < 9 && Math.abs(step * Math.pow(10, digits) - Math.round(step * Math.pow(10, digits))) > 1e-6) digits++;
        return splits.map(function (v) { return v === null ? "" : v.toFixed(digits); });
      };
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
        if (flagged) query.push("flagged=1");
      }
      return fetch(url + "?" + query.join("&")).then(function (r) { if (!r.ok) throw new Error(r.status); return r.json(); }).then(function (d) {
        if (ticket !== asked) return;
        data = d;
        if (host.parentNode !== figure) drawn.replaceWith(host);
        draw();
        if (kind === "fold") document.dispatchEvent(new CustomEvent("eas-folded", { detail: period }));
      }).catch(function () { /* what was drawn stays */ });
    }
    function set_period(p) {
      period = base = p;
      if (slider) slider.value = 0;
      load({});
    }
    function reset() { if (kind === "fold") set_period(Number(figure.dataset.period) || null); else load({}); }
    // The transit after (or before) the middle of what is shown, with half a period on both sides.
    function visit(by) {
      if (!period || isNaN(t0)) return;
      var k = (data.to + data.from) / 2, near = (k - t0) / period, n = by > 0 ? Math.floor(near + 1.01) : Math.ceil(near - 1.01);
      if (data.to - data.from > 2 * period) n = by > 0 ? Math.ceil((data.from - t0) / period) : Math.floor((data.to - t0) / period);
      var at = t0 + n * period;
      if (at < data.first || at > data.last) return;
      load({ from: at - period / 2, to: at + period / 2 });
      tell("transit " + n + " at " + at.toFixed(4) + " days");
    }
    // The server's drawing of what is shown, with its colours in it.
    function save_svg() {
      var query = kind === "fold" ? "?period=" + period : view.from !== undefined ? "?from=" + view.from + "&to=" + view.to : "";
      fetch(figure.dataset.page + query).then(function (r) { return r.text(); }).then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html").querySelector('figure[data-plot="' + kind + '"] svg.plot') || drawn;
        var svg = document.importNode(fresh, true), holder = document.createElement("div");
        holder.className = "unseen";
        holder.append(svg);
        document.body.append(holder);
        svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
        svg.querySelectorAll("path,text").forEach(function (e) {
          var s = getComputedStyle(e);
          ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font-size", "font-family"].forEach(function (n) { e.setAttribute(n, s.getPropertyValue(n)); });
        });
        save("plot.svg", "image/svg+xml", svg.outerHTML);
        holder.remove();
      });
    }
    function pan(by) {
      var span = data.to - data.from;
      load({ from: Math.max(data.first, data.from + by * span), to: Math.min(data.last, data.to + by * span) });
    }
    function csv() {
      var r = rows(), text = (kind === "fold" ? "phase,even,odd,all" : data.lo ? "x,lo,hi" : "x,y") + "\n";
      for (var i = 0; i < data.x.length; i++) text += r.map(function (c) { return c[i] === null ? "" : c[i]; }).join(",") + "\n";
      save("plot.csv", "text/csv", text);
    }
    var data_has_flags = kind !== "fold" && !mark;
    function flags() {
      flagged = !flagged;
      load(view).then(function () {
        tell(!flagged ? "flagged samples are left out" : data.flagged_x ? data.flagged_x.length + " flagged samples are shown" : "too many points to show flagged samples: zoom in");
      });
    }
    var links = figure.nextElementSibling;
    if (links && links.classList.contains("zoom")) {
      if (kind === "fold") {
        slider = document.createElement("input");
        slider.type = "range";
        slider.min = -1;
        slider.max = 1;
        slider.step = 0.01;
        slider.value = 0;
        slider.setAttribute("aria-label", "period, up to 1 % from here");
        slider.addEventListener("input", function () { period = base * (1 + slider.value / 100); slider.title = period + " d"; load({}); });
        links.prepend(slider);
        links.append(button("Reset", reset), button("Data", csv), button("SVG", save_svg));
      } else {
        links.replaceChildren(button("Reset", reset), button("\u2190", function () { pan(-0.5); }), button("\u2192", function () { pan(0.5); }),
          button("Log", function () { logarithmic = !logarithmic; draw(); }), button("Data", csv), button("SVG", save_svg));
        if (period && !isNaN(t0)) links.append(button("Next transit", function () { visit(1); }), button("Previous", function () { visit(-1); }));
        if (data_has_flags) links.append(button("Flagged", flags));
        links.append(mark ? " click a peak: the fold follows" : " drag zooms, Ctrl and wheel or two fingers too; Shift and drag moves along; double click goes back");
      }
    }
    figure.tabIndex = 0;
    figure.addEventListener("keydown", function (e) {
      if (e.target !== figure) return;
      if (e.key === "0") reset();
      else if (e.key === "l") { logarithmic = !logarithmic; draw(); }
      else if (e.key === "d") csv();
      else if (e.key === "s") save_svg();
      else if (e.key === "n") visit(1);
      else if (e.key === "p") visit(-1);
      else if (e.key === "q" && data_has_flags) flags();
      else if (e.key === "ArrowLeft" && kind !== "fold") pan(-0.25);
      else if (e.key === "ArrowRight" && kind !== "fold") pan(0.25);
      else if (kind === "fold" && (e.key === "[" || e.key === "]")) set_period(e.key === "[" ? period / 2 : period * 2);
      else return;
      e.preventDefault();
      e.stopPropagation();
    });
    if (kind === "fold") document.addEventListener("eas-period", function (e) { set_period(e.detail); });
    else if (mark) document.addEventListener("eas-folded", function (e) { if (e.detail && e.detail !== mark) { mark = e.detail; if (data) draw(); } });
    document.addEventListener("eas-theme", function () { if (data) draw(); });
    window.addEventListener("resize", function () { if (chart) chart.setSize({ width: Math.max(280, figure.clientWidth), height: chart.height }); });
    load(view);
  }

  if (!window.uPlot) return;
  document.querySelectorAll("figure[data-plot]").forEach(plot);
  document.addEventListener("click", function (e) {
    var a = e.target.closest && e.target.closest("a[data-peak]");
    if (!a || e.ctrlKey || e.metaKey || e.shiftKey || !document.querySelector('figure[data-plot="fold"]')) return;
    e.preventDefault();
    fold_at(Number(a.dataset.peak));
  });
})();
