"use strict";
(function () {
  var root = document.documentElement;
  root.classList.add("js");

  // Whoever prints sees everything, whatever is folded.
  function unfold() {
    document.querySelectorAll("details:not([open])").forEach(function (entry) {
      entry.setAttribute("data-folded", "");
      entry.open = true;
    });
  }
  function fold() {
    document.querySelectorAll("details[data-folded]").forEach(function (entry) {
      entry.removeAttribute("data-folded");
      entry.open = false;
    });
  }
  window.addEventListener("beforeprint", unfold);
  window.addEventListener("afterprint", fold);

  // A link to something folded opens it.
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) { return; }
    for (var entry = target; entry; entry = entry.parentElement) {
      if (entry.tagName === "DETAILS") { entry.open = true; }
    }
    var first = target.querySelector(":scope > details");
    if (first) { first.open = true; }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);

  document.querySelectorAll("[data-js]").forEach(function (entry) { entry.hidden = false; });

  document.querySelectorAll("button[data-fold]").forEach(function (button) {
    button.addEventListener("click", function () {
      var open = button.getAttribute("data-fold") === "open";
      document.querySelectorAll("#audits details.audit").forEach(function (entry) {
        entry.open = open;
      });
    });
  });

  var table = document.getElementById("measurements");
  if (table) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    var search = document.getElementById("filter-text");
    var verdict = document.getElementById("filter-verdict");
    var said = document.getElementById("filter-count");

    var filter = function () {
      var wanted = search.value.trim().toLowerCase();
      var shown = 0;
      rows.forEach(function (row) {
        var fits = (!verdict.value || row.getAttribute("data-standing") === verdict.value) &&
          (!wanted || row.textContent.toLowerCase().indexOf(wanted) >= 0);
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      said.textContent = said.getAttribute("data-text")
        .replace("%n", shown).replace("%m", rows.length);
    };
    search.addEventListener("input", filter);
    verdict.addEventListener("change", filter);

    var key = function (row, column) {
      var cell = row.cells[column];
      var sorted = cell.getAttribute("data-sort");
      var text = sorted === null ? cell.textContent.trim() : sorted;
      var number = parseFloat(text);
      return sorted !== null || /^[-+]?[\d.]/.test(text) && !isNaN(number) ? number : text;
    };
    table.querySelectorAll("thead th[data-sortable]").forEach(function (heading) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      while (heading.firstChild) { button.appendChild(heading.firstChild); }
      heading.appendChild(button);
      button.addEventListener("click", function () {
        var up = heading.getAttribute("aria-sort") !== "ascending";
        table.querySelectorAll("thead th").forEach(function (other) {
          other.removeAttribute("aria-sort");
        });
        heading.setAttribute("aria-sort", up ? "ascending" : "descending");
        var column = heading.cellIndex;
        rows.map(function (row, place) { return [key(row, column), place, row]; })
          .sort(function (one, other) {
            var a = one[0], b = other[0];
            var order = typeof a !== typeof b
              ? (typeof a === "number" ? -1 : 1)
              : typeof a === "number" ? a - b : a.localeCompare(b);
            return (up ? order : -order) || one[1] - other[1];
          })
          .forEach(function (entry) { body.appendChild(entry[2]); });
      });
    });
  }
  reveal();
})();
