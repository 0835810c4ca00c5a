// What a page can do beyond being read; all that it says is there without this script.
"use strict";

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

const download = (name, address) => make("a", { download: name, href: address }).click();

// Text of a cell as in a file: numbers with a hyphen for a minus, and empty for a dash.
const plain = (text) => text.replace(/\s+/g, " ").trim().replace(/\u2212/g, "-").replace(/^\u2013$/, "");

// What a cell begins with, without what stands below it; places where a name may be broken are part of it.
const beginning = (cell) => {
  const nodes = [...cell.childNodes];
  const below = nodes.findIndex((node, place) => place && node instanceof Element && node.nodeName !== "WBR");
  return nodes.slice(0, below < 0 ? nodes.length : below).map((node) => node.textContent).join("");
};
const value = (cell) => plain(cell.querySelector("b")?.textContent ?? beginning(cell));

// ---- Tables

const rowsOf = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);
const isGroup = (row) => row.classList.contains("group");

// Cells of rows by their columns; one over several columns or rows is in each of them.
function grid(rows) {
  const lines = rows.map(() => []);
  rows.forEach((row, top) => [...row.cells].forEach((cell) => {
    let left = 0;
    while (lines[top][left]) left += 1;
    for (const line of lines.slice(top, top + cell.rowSpan)) {
      for (let column = left; column < left + cell.colSpan; column += 1) line[column] = cell;
    }
  }));
  return lines;
}

// One line for each row that is shown, its group first; errors in columns of their own.
function csv(table) {
  const isShown = (row) => !row.hidden && !row.parentElement.hidden && !isGroup(row);
  const groupOf = (row) => row.parentElement.querySelector(".group")?.textContent.trim() ?? "";
  const errorsOf = (cell) => [...cell.querySelectorAll(".errors, .error, .counts")]
    .map((errors) => plain(errors.innerHTML.replace(/<br>/g, "; ").replace(/<[^>]*>/g, ""))).join("; ");
  const rows = rowsOf(table);
  const cells = grid(rows).filter((_, place) => isShown(rows[place]));
  const groups = rows.filter(isShown).map(groupOf);
  const withErrors = new Set(cells.flatMap((line) => [...line.keys()].filter((column) => errorsOf(line[column]))));
  const line = (group, of, text, errors) => [
    ...(groups.some(Boolean) ? [group] : []),
    ...of.flatMap((cell, column) => (withErrors.has(column) ? [text(cell), errors(cell)] : [text(cell)])),
  ];
  const title = (cell) => plain(cell.textContent);
  const head = grid([...(table.tHead?.rows ?? [])])
    .map((of) => line("group", of, title, (cell) => `${title(cell)} (errors)`));
  const body = cells.map((of, place) => line(groups[place], of, value, errorsOf));
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [...head, ...body].map((texts) => `${texts.map(quoted).join(",")}\n`).join("");
}

// Sort the rows of each group by a column; numbers as numbers, rows without a value last.
function sortBy(table, column, descending) {
  const key = (row) => value(row.cells[column] ?? row.cells[0]);
  const compare = (left, right) => {
    const [a, b] = [key(left), key(right)];
    if (!a || !b) return Number(!a) - Number(!b);
    const [x, y] = [parseFloat(a), parseFloat(b)];
    const order = isNaN(x) || isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
    return descending ? -order : order;
  };
  for (const body of table.tBodies) {
    body.append(...[...body.rows].filter((row) => !isGroup(row)).sort(compare));
  }
}

function makeSortable(table) {
  const heads = [...table.querySelectorAll("thead th")];
  const simple = table.tHead?.rows.length === 1 && !table.querySelector("tbody [rowspan]");
  if (!simple || rowsOf(table).length < 3) return;
  heads.forEach((head, column) => {
    const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
    });
  });
}

// ---- Which rows are shown: those that their table's filter lets through, of runs that are not hidden

const hiddenRuns = new Set();
const nameOf = (row) => {
  const head = row.querySelector("th");
  return head && beginning(head).trim();
};

function showRows(table) {
  const words = (table.filter?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  for (const body of table.tBodies) {
    const group = body.querySelector(".group");
    body.hidden = Boolean(group) && hiddenRuns.has(nameOf(group));
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !isGroup(row) &&
        (hiddenRuns.has(nameOf(row)) || !words.every((word) => text.includes(word)));
    }
  }
}

const tables = [...document.querySelectorAll("figure.table table")];
for (const table of tables) {
  makeSortable(table);
  const tools = make("div", { className: "tools" });
  if (rowsOf(table).length > 7) {
    table.filter = make("input", { type: "search", placeholder: "Filter rows" });
    table.filter.setAttribute("aria-label", "Filter rows");
    table.filter.addEventListener("input", () => showRows(table));
    tools.append(table.filter);
  }
  const save = make("button", { type: "button" }, "CSV");
  save.setAttribute("aria-label", `Download the table ${table.dataset.name} as CSV`);
  save.addEventListener("click", () => download(`${table.dataset.name}.csv`,
    `data:text/csv;charset=utf-8,${encodeURIComponent(csv(table))}`));
  tools.append(save);
  table.closest("figure").append(tools);
}

// A box for each run of the summary; a run without its mark is hidden in all tables.
const runs = [...new Set([...document.querySelectorAll("tr[data-run]")].map((row) => row.dataset.run))];
if (runs.length > 1) {
  const boxes = runs.map((run) => make("input", { type: "checkbox", checked: true, value: run }));
  const apply = () => {
    hiddenRuns.clear();
    boxes.filter((box) => !box.checked).forEach((box) => hiddenRuns.add(box.value));
    tables.forEach(showRows);
  };
  const all = (checked) => {
    const button = make("button", { type: "button" }, checked ? "All" : "None");
    button.addEventListener("click", () => {
      boxes.forEach((box) => { box.checked = checked; });
      apply();
    });
    return button;
  };
  const list = make("div", { className: "runs" }, ...boxes.map((box) => make("label", {}, box, ` ${box.value}`)));
  list.addEventListener("change", apply);
  const choice = make("details", { className: "choice" },
    make("summary", {}, "Choose the runs that the tables show"), make("p", {}, all(true), " ", all(false)), list);
  document.querySelector("tr[data-run]").closest("figure").before(choice);
}

// ---- Figures, in the colours of print, with their letters

function standalone(svg) {
  const copy = svg.cloneNode(true);
  const fonts = document.querySelector("style").textContent.match(/@font-face\{[^}]*\}/g) ?? [];
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.prepend(Object.assign(document.createElementNS("http://www.w3.org/2000/svg", "style"),
    { textContent: fonts.join("") }));
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
}

async function png(svg, scale = 3) {
  const image = new Image();
  image.src = standalone(svg);
  await image.decode();
  const { width, height } = svg.viewBox.baseVal;
  const canvas = make("canvas", { width: width * scale, height: height * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

for (const figure of document.querySelectorAll("figure.drawn")) {
  const svg = figure.querySelector("svg");
  if (!svg) continue;
  const name = figure.id.replace("figure-", "");
  const button = (kind, address) => {
    const save = make("button", { type: "button" }, kind);
    save.setAttribute("aria-label", `Download the figure ${name} as ${kind}`);
    save.addEventListener("click", async () => download(`${name}.${kind.toLowerCase()}`, await address(svg)));
    return save;
  };
  figure.append(make("div", { className: "tools" }, button("SVG", standalone), button("PNG", png)));
}
