"use strict";

// The table of all results: decodes skdaResults, filters, sorts and shows a part.

const SHOWN_AT_ONCE = 100;
const SHOWN = ["family", "task", "method", "setting", "score", "n", "metric", "seconds", "commit"];
const SEARCHED = ["family", "task", "method", "setting", "metric", "commit"];

function decodeResults(data) {
  return data.rows.map((row) => {
    const fields = {};
    data.columns.forEach((column, i) => {
      const names = data.names[column];
      fields[column] = names === undefined ? row[i] : names[row[i]];
    });
    fields.command = fields.command
      .replace("{task}", () => fields.task)
      .replace("{method}", () => fields.method);
    fields.text = SEARCHED.map((column) => fields[column]).join(" ").toLowerCase();
    return fields;
  });
}

function filterResults(rows, query, family) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    (row) =>
      (family === "" || row.family === family) &&
      words.every((word) => row.text.includes(word))
  );
}

function sortResults(rows, column, ascending) {
  // What has no value comes last, either way.
  const sign = ascending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const x = a[column], y = b[column];
    if (x === y) return 0;
    if (x === null || x === "") return 1;
    if (y === null || y === "") return -1;
    return sign * (typeof x === "number" ? x - y : x.localeCompare(y));
  });
}

function cellText(row, column) {
  const value = row[column];
  if (value === null) return "";
  if (column !== "score") return String(value);
  const percent = !/ratio|seconds/i.test(row.metric);
  const write = (number) => (percent ? (100 * number).toFixed(1) : number.toFixed(2));
  return write(value) + (row.std === null ? "" : " \u00b1 " + write(row.std));
}

function startResults(root, data) {
  const rows = decodeResults(data);
  const state = { column: "family", ascending: true, limit: SHOWN_AT_ONCE };
  const find = (name) => root.querySelector("[data-part=" + name + "]");
  const make = (tag, text, parent) => {
    const element = document.createElement(tag);
    element.textContent = text; // never as HTML
    if (parent) parent.append(element);
    return element;
  };
  for (const family of data.names.family) make("option", family, find("family")).value = family;
  const headers = SHOWN.map((column) => {
    const header = make("th", "", find("head"));
    const button = make("button", column, header);
    button.type = "button";
    button.addEventListener("click", () => {
      state.ascending = state.column === column ? !state.ascending : column !== "score";
      state.column = column;
      show();
    });
    return header;
  });
  make("th", "command", find("head"));

  function addRow(row) {
    const line = make("tr", "", find("body"));
    for (const column of SHOWN) {
      const cell = make("td", cellText(row, column), line);
      if (typeof row[column] === "number") cell.className = "number";
    }
    const button = make("button", "show", make("td", "", line));
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      button.textContent = open ? "show" : "hide";
      if (open) {
        line.nextSibling.remove();
        return;
      }
      const below = document.createElement("tr");
      line.after(below);
      const cell = make("td", "", below);
      cell.colSpan = SHOWN.length + 1;
      make("code", row.command, cell);
      make("span", " (" + row.commit + ", " + row.date + ", " + row.metric + ")", cell);
    });
  }

  function show() {
    const found = filterResults(rows, find("query").value, find("family").value);
    const sorted = sortResults(found, state.column, state.ascending);
    find("body").replaceChildren();
    sorted.slice(0, state.limit).forEach(addRow);
    headers.forEach((header, i) => {
      const chosen = SHOWN[i] === state.column;
      header.setAttribute("aria-sort", chosen ? (state.ascending ? "ascending" : "descending") : "none");
    });
    find("count").textContent = found.length + " of " + rows.length + " results";
    find("more").hidden = found.length <= state.limit;
  }

  for (const name of ["query", "family"])
    find(name).addEventListener("input", () => {
      state.limit = SHOWN_AT_ONCE;
      show();
    });
  find("more").addEventListener("click", () => {
    state.limit += SHOWN_AT_ONCE;
    show();
  });
  show();
}

if (typeof document !== "undefined")
  document.addEventListener("DOMContentLoaded", () =>
    startResults(document.getElementById("all-results"), skdaResults)
  );
if (typeof module !== "undefined")
  module.exports = { decodeResults, filterResults, sortResults, cellText };
