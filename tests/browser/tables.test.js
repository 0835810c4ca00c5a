/** What the script offers: rows sorted, filtered and hidden, tables and figures as files. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { launch, open } from "./browser.js";
import { overflow } from "./examine.js";

const REPORT = join(process.env.PAGES, "report.html");
const MANY = process.env.MANY; // a report of so many runs that a slow page would not do; if there is one
const DOWNLOADS = mkdtempSync(join(tmpdir(), "downloads-"));
const PNG_BEGINS = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
let browser, page, blank;

before(async () => {
  browser = await launch({ downloadBehavior: { policy: "allow", downloadPath: DOWNLOADS } });
  blank = await browser.newPage(); // without a policy that a file which is looked into would violate
});
after(async () => {
  await browser.close();
  rmSync(DOWNLOADS, { recursive: true });
});

/** Name and content of what a click on a button of a figure's or table's tools would download. */
async function offered(button) {
  const [name, address] = await button.evaluate((element) => new Promise((resolve) => {
    HTMLAnchorElement.prototype.click = function () {
      resolve([this.download, this.href]);
    };
    element.click();
  }));
  const [, encoded, data] = address.match(/^data:[^,]*?(;base64)?,(.*)$/s);
  return [name, encoded ? Buffer.from(data, "base64") : Buffer.from(decodeURIComponent(data))];
}

const label = (button) => button.evaluate((element) => element.getAttribute("aria-label"));

/** Columns of tables that are out of order after a click on their head; runs in the page. */
function wronglySorted() {
  const key = (row, column) => {
    const cell = row.cells[column];
    const text = (cell.querySelector("b") ?? cell).innerText.trim().split("\n")[0].replaceAll("\u2212", "-");
    return text === "\u2013" ? NaN : parseFloat(text);
  };
  const wrong = [];
  for (const button of document.querySelectorAll("th .sort")) {
    const [head, table] = [button.closest("th"), button.closest("table")];
    const rows = () => [...table.tBodies].flatMap((body) => [...body.querySelectorAll("tr:not(.group)")]);
    const before = rows().map((row) => row.textContent).sort().join();
    for (const sign of [1, -1]) {
      button.click();
      for (const body of table.tBodies) {
        const numbers = [...body.querySelectorAll("tr:not(.group)")].map((row) => key(row, head.cellIndex));
        if (numbers.some(isNaN)) continue; // a column of words, or with gaps
        const ordered = numbers.every((number, place) => !place || sign * (numbers[place - 1] - number) >= 0);
        if (!ordered) wrong.push(`${table.dataset.name}, ${head.innerText}: ${numbers}`);
      }
    }
    if (rows().map((row) => row.textContent).sort().join() !== before) wrong.push(`${table.dataset.name}: rows lost`);
  }
  return wrong;
}

/** What is asked of the tables of any report. */
function showsItsTables(path) {
  before(async () => {
    page = await open(browser, path);
  });

  it("sorts tables by each column", async () => {
    assert.ok((await page.$$("th .sort")).length > 0);
    assert.deepEqual(await page.evaluate(wronglySorted), []);
  });

  it("filters rows", async () => {
    const [table] = await page.$$("figure.table:has(input[type=search])");
    const shown = () => table.$$eval("tbody tr:not(.group)", (rows) =>
      rows.filter((row) => row.checkVisibility()).map((row) => row.innerText.toLowerCase()));
    const input = await table.$("input[type=search]");
    const all = await shown();
    const [word] = all.at(-1).split(/\s/);
    await input.type(word.toUpperCase());
    const some = await shown();
    assert.ok(some.length > 0 && some.length < all.length, `${some.length} of ${all.length} rows have ${word}`);
    assert.ok(some.every((text) => text.includes(word)));
    await input.type(" and no row has this");
    assert.deepEqual(await shown(), []);
    await input.evaluate((element) => {
      element.value = "";
      element.dispatchEvent(new Event("input"));
    });
    assert.deepEqual(await shown(), all);
  });

  it("hides a run in all tables, and shows it again", async () => {
    const rowsOf = (run) => page.$$eval("main tbody th:first-child", (heads, name) => {
      const ownText = (head) => [...head.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.data).join("").trim();
      return heads.filter((head) => ownText(head) === name && head.checkVisibility()).length;
    }, run);
    const box = await page.$(".runs input");
    const run = await box.evaluate((element) => element.value);
    const all = await rowsOf(run);
    assert.ok(all > 0);
    await box.evaluate((element) => element.click());
    assert.equal(await rowsOf(run), 0);
    await box.evaluate((element) => element.click());
    assert.equal(await rowsOf(run), all);
  });

  it("does this without an error", () => assert.deepEqual(page.problems, []));
}

describe("report.html", () => {
  showsItsTables(REPORT);

  it("downloads what is clicked", async () => {
    const button = await page.$("figure.table .tools button");
    await button.evaluate((element) => element.click());
    for (let waited = 0; waited < 100 && !readdirSync(DOWNLOADS).length; waited++) await setTimeout(100);
    assert.match(readdirSync(DOWNLOADS).join(), /^\w+\.csv/);
  });

  it("gives each table as a whole CSV", async () => {
    const tables = await page.$$("figure.table");
    assert.ok(tables.length > 0);
    for (const table of tables) {
      const [name, rows] = await table.$eval("table", (element) =>
        [element.dataset.name, element.querySelectorAll("tbody tr:not(.group)").length]);
      const [file, content] = await offered(await table.$(".tools button"));
      assert.equal(file, `${name}.csv`);
      assert.ok(content.toString().endsWith("\n"));
      const lines = await page.evaluate((text) =>
        text.trimEnd().split("\n").map((line) => line.replace(/"(""|[^"])*"/g, "").split(",").length), content.toString());
      assert.ok(lines.length > rows, `${name}: ${lines.length} lines for ${rows} rows and a head`);
      assert.equal(new Set(lines).size, 1, `${name}: lines of ${[...new Set(lines)]} fields`);
    }
  });

  it("gives each figure as a whole SVG and PNG", async () => {
    const figures = await page.$$("figure.drawn");
    assert.ok(figures.length > 0);
    for (const figure of figures) {
      for (const button of await figure.$$(".tools button")) {
        const [, name, kind] = (await label(button)).match(/figure (\S+) as (\w+)/);
        const [file, content] = await offered(button);
        assert.equal(file, `${name}.${kind.toLowerCase()}`);
        if (kind === "PNG") {
          assert.ok(content.subarray(0, 8).equals(PNG_BEGINS) && content.subarray(-8, -4).toString() === "IEND", name);
          continue;
        }
        const texts = await blank.evaluate((text) => {
          const drawing = new DOMParser().parseFromString(text, "image/svg+xml");
          return drawing.querySelector("parsererror") ? -1 : drawing.querySelectorAll("text").length;
        }, content.toString());
        assert.equal(texts, await figure.$$eval("svg text", (elements) => elements.length), name);
      }
    }
  });

  it("does all of this without an error", () => assert.deepEqual(page.problems, []));
});

if (MANY) {
  describe("a report of many runs", () => {
    showsItsTables(MANY);

    for (const width of [1400, 390]) {
      it(`is no wider than the window: ${width} px`, async () => {
        await page.setViewport({ width, height: 900 });
        assert.ok(await page.evaluate(overflow) <= 0);
      });
    }
  });
}
