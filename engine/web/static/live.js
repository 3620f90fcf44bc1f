// live.js: pages come alive: what has changed is fetched again from the same address and put in place; keys; light or dark.
"use strict";
(function () {
  var root = document.documentElement, live = document.getElementById("live"), say = document.getElementById("say");
  var counts = document.querySelector("[data-count]"), counted = counts ? Number(counts.dataset.count) : null;
  var topic = root.dataset.topic, last = Date.now(), frozen = false, busy = false, wanted = false, said = 0;

  function store(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(name);
      localStorage.setItem(name, value);
    } catch (e) { /* without storage the choice lasts for this page */ }
    return null;
  }

  // --- light and dark ---
  var theme = document.getElementById("theme"), themes = ["auto", "light", "dark"];
  function show_theme(name) {
    if (name === "light" || name === "dark") root.dataset.theme = name; else delete root.dataset.theme;
    theme.textContent = name === "light" ? "Light" : name === "dark" ? "Dark" : "Auto";
    theme.setAttribute("aria-label", "colours: " + theme.textContent);
    document.dispatchEvent(new Event("eas-theme"));
  }
  theme.hidden = false;
  show_theme(store("eas-theme") || "auto");
  theme.addEventListener("click", function () {
    var next = themes[(themes.indexOf(store("eas-theme") || "auto") + 1) % 3];
    store("eas-theme", next);
    show_theme(next);
  });

  // --- "3 min ago" ---
  function ago(seconds) {
    if (seconds < 90) return Math.max(0, Math.round(seconds)) + " s ago";
    if (seconds < 5400) return Math.round(seconds / 60) + " min ago";
    if (seconds < 129600) return Math.round(seconds / 3600) + " h ago";
    return Math.round(seconds / 86400) + " d ago";
  }
  function stamps(within) {
    within.querySelectorAll("time[datetime]").forEach(function (t) {
      if (!t.title) t.title = t.textContent + " UTC";
      t.textContent = ago((Date.now() - Date.parse(t.dateTime)) / 1000);
    });
  }
  stamps(document);

  // --- events ---
  function state(on, text) {
    live.className = on ? "on" : "off";
    live.textContent = text;
  }
  // Only what differs is replaced, and nothing that somebody holds: a log that was scrolled up, a field with the focus.
  function put(fresh) {
    var changed = 0;
    document.querySelectorAll("[data-live]").forEach(function (old) {
      var now = fresh.querySelector('[data-live="' + old.dataset.live + '"]');
      if (!now) return;
      stamps(now);
      if (now.outerHTML === old.outerHTML || old.contains(document.activeElement) && document.activeElement !== document.body && old.querySelector("input:focus,select:focus")) return;
      var tail = old.dataset.tail !== undefined, bottom = old.scrollTop + old.clientHeight >= old.scrollHeight - 20;
      if (tail && !bottom) return;
      var focus = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null, left = old.parentNode.scrollLeft;
      old.replaceWith(document.importNode(now, true));
      var there = document.querySelector('[data-live="' + now.dataset.live + '"]');
      if (tail) there.scrollTop = there.scrollHeight;
      if (focus) { var a = there.querySelector('a[href="' + CSS.escape(focus) + '"]'); if (a) a.focus(); }
      there.parentNode.scrollLeft = left;
      changed++;
    });
    return changed;
  }
  // New rows are told of, not pushed in: what one reads stays where it is.
  function news(fresh) {
    var now = fresh.querySelector("[data-count]"), here = document.getElementById("new");
    if (!now || counted === null) return;
    var more = Number(now.dataset.count) - counted;
    if (more <= 0 && !here) return;
    if (!here) {
      here = document.createElement("a");
      here.id = "new";
      here.className = "chip";
      here.href = location.href;
      here.addEventListener("click", function (e) { e.preventDefault(); location.reload(); });
      document.querySelector("[data-count]").after(here);
    }
    here.hidden = more <= 0;
    here.textContent = more + " new";
  }
  function refresh() {
    if (busy || frozen || document.hidden) { wanted = true; return; }
    busy = true;
    wanted = false;
    fetch(location.href, { headers: { Accept: "text/html" } }).then(function (r) {
      if (!r.ok) throw new Error(r.status);
      return r.text();
    }).then(function (text) {
      var page = new DOMParser().parseFromString(text, "text/html"), changed = put(page);
      news(page);
      last = Date.now();
      root.classList.remove("stale");
      var facts = document.querySelector(".facts");
      if (changed && facts && Date.now() - said > 10000) { say.textContent = facts.textContent; said = Date.now(); }
    }).catch(function () { root.classList.add("stale"); }).then(function () {
      busy = false;
      if (wanted) setTimeout(refresh, 500);
    });
  }
  if (topic && window.EventSource) {
    var query = topic === "all" ? "" : topic[0] === "a" ? "?attempt=" + topic : "?job=" + topic;
    var events = new EventSource("/api/v1/events" + query), heard = Date.now();
    events.addEventListener("change", function () { heard = Date.now(); refresh(); });
    events.addEventListener("beat", function () { heard = last = Date.now(); });
    events.onerror = function () { root.classList.add("stale"); };
    events.onopen = function () { if (root.classList.contains("stale")) refresh(); };
    window.addEventListener("pagehide", function () { events.close(); });
    document.addEventListener("visibilitychange", function () { if (!document.hidden && wanted) refresh(); });
    setInterval(function () {
      var age = Math.round((Date.now() - last) / 1000);
      if (frozen) state(false, "frozen"); else if (Date.now() - heard < 12000) state(true, "live, " + age + " s ago"); else state(false, "last seen " + age + " s ago");
    }, 1000);
    state(true, "live");
  }
  var log = document.querySelector("[data-tail]");
  if (log) log.scrollTop = log.scrollHeight;
  document.addEventListener("submit", function (e) {
    var text = e.target.dataset && e.target.dataset.confirm;
    if (text && !window.confirm(text)) e.preventDefault();
  });

  // What a cell of a map says stands below it, also for fingers and keys.
  function says(e) {
    var a = e.target.closest ? e.target.closest(".map a[data-says]") : null;
    if (!a) return;
    var p = a.closest("figure").querySelector(".says");
    p.hidden = false;
    p.textContent = a.dataset.says;
  }
  document.addEventListener("mouseover", says);
  document.addEventListener("focusin", says);
  document.querySelectorAll(".map .says").forEach(function (p) { p.hidden = false; });

  // --- lines to type ---
  document.querySelectorAll("code[data-copy]").forEach(function (code) {
    var b = document.createElement("button");
    b.type = "button";
    b.className = "copy";
    b.textContent = "Copy";
    b.setAttribute("aria-label", "copy " + code.textContent);
    b.addEventListener("click", function () {
      var chosen = window.getSelection();
      chosen.selectAllChildren(code);
      function done(ok) { say.textContent = b.textContent = ok ? "Copied" : "Ctrl-C copies it"; }
      if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(function () { done(true); }, function () { done(false); });
      else done(false); // the line is selected
    });
    code.after(" ", b);
  });

  // --- keys ---
  var KEYS = [["/", "filter"], ["j k", "rows"], ["Enter", "open the row"], ["u", "up"], ["f", "failed only"], [".", "freeze"],
    ["g h", "overview"], ["g j", "jobs"], ["g t", "tasks"], ["g e", "errors"], ["g r", "results"], ["g l", "logs"], ["?", "this list"], ["Esc", "close"],
    ["in a plot", "0 reset, \u2190 \u2192 along, l logarithmic, d data, s drawing, n p transits, q flagged, [ ] half and twice the period"]];
  var GO = { h: "/", j: "/jobs", t: "/tasks", e: "/errors", r: "/results", l: "/logs", w: "/workers", m: "/maps" };
  var row = -1, g = 0;
  function of_job(path) {
    var name = document.querySelector("nav.job b");
    return name && path !== "/" && path !== "/jobs" && path !== "/workers" ? path + "?job=" + name.textContent : path;
  }
  function move(by) {
    var rows = document.querySelectorAll("main table[data-rows] tbody tr");
    if (!rows.length) return;
    if (rows[row]) rows[row].classList.remove("at");
    row = Math.max(0, Math.min(rows.length - 1, row + by));
    rows[row].classList.add("at");
    var a = rows[row].querySelector("a");
    if (a) a.focus({ preventScroll: true });
    rows[row].scrollIntoView({ block: "nearest" });
  }
  function help() {
    var d = document.querySelector("dialog");
    if (d) { d.remove(); return; }
    d = document.createElement("dialog");
    d.setAttribute("aria-label", "keys");
    var list = document.createElement("dl");
    KEYS.forEach(function (k) {
      var dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = k[0];
      dd.textContent = k[1];
      list.append(dt, dd);
    });
    var off = document.createElement("button"), on = store("eas-keys") !== "off";
    off.textContent = on ? "Turn keys off" : "Turn keys on";
    off.addEventListener("click", function () { store("eas-keys", on ? "off" : "on"); d.close(); });
    d.append(list, off);
    d.addEventListener("close", function () { d.remove(); });
    document.body.append(d);
    d.showModal();
  }
  var button = document.getElementById("help");
  button.hidden = false;
  button.addEventListener("click", help);
  function up() {
    var p = location.pathname.split("/"), job = document.querySelector('nav.job a[href^="/jobs/"]');
    location.href = p.length > 2 && p[1] !== "jobs" && job ? job.getAttribute("href") : p.length > 2 ? "/" + p[1] : "/";
  }
  document.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) || document.querySelector("dialog")) return;
    if (store("eas-keys") === "off" && e.key !== "?") return;
    if (g && Date.now() - g < 1200 && GO[e.key]) { location.href = of_job(GO[e.key]); return; }
    g = 0;
    if (e.key === "/") { var f = document.querySelector(".filter input:not([type=hidden]),.filter select"); if (f) { e.preventDefault(); f.focus(); } }
    else if (e.key === "j") move(1);
    else if (e.key === "k") move(-1);
    else if (e.key === "u") up();
    else if (e.key === "f") { var c = document.querySelector(".chip.s-failed"); if (c) location.href = c.href; }
    else if (e.key === ".") { frozen = !frozen; if (!frozen && wanted) refresh(); }
    else if (e.key === "g") g = Date.now();
    else if (e.key === "?") help();
  });
  window.easLive = { refresh: refresh };
})();
