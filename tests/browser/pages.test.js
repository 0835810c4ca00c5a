/** Every page, as it looks in every view; the folder of pages is told in the variable PAGES. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { HtmlValidate } from "html-validate";
import { accessibility, launch, open, VIEWS } from "./browser.js";
import * as examine from "./examine.js";

const SMALLEST = 9; // points
const SHOWN = 20; // complaints of a view
const PRINTED_HEIGHT = 1016; // CSS pixels between the margins of an A4 page
const FOLDER = process.env.PAGES;
const PAGES = readdirSync(FOLDER).filter((name) => name.endsWith(".html"));
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser.close());

function assertNone(complaints) {
  assert.ok(complaints.length === 0, `${complaints.length} complaints:\n${complaints.slice(0, SHOWN).join("\n")}`);
}

/** What is wrong with a page in a view, in lines. */
async function complaints(path, view) {
  const page = await open(browser, path, view);
  const found = [...page.problems]; // before axe-core adds its own
  const overflow = await page.evaluate(examine.overflow);
  if (overflow > 0) found.push(`wider than the window by ${overflow} px`);
  for (const [points, example] of await page.evaluate(examine.textSizes)) {
    if (points < SMALLEST) found.push(`text of ${points} pt: ${example}`);
  }
  for (const text of await page.evaluate(examine.faintSvgText)) found.push(`faint text in a figure: ${text}`);
  found.push(...(await page.evaluate(examine.headingsOutOfOrder)));
  if (view.media === "print") {
    const torn = await page.evaluate(examine.taller, PRINTED_HEIGHT);
    found.push(...torn.map((name) => `taller than a page: ${name}`));
  }
  found.push(...(await accessibility(page)));
  await page.close();
  return found;
}

for (const name of PAGES) {
  describe(name, () => {
    const path = join(FOLDER, name);

    for (const view of VIEWS) {
      it(`can be read: ${view.name}`, async () => {
        assertNone(await complaints(path, view));
      });
    }

    it("is valid HTML", async () => {
      const validator = new HtmlValidate({ extends: ["html-validate:recommended"] });
      const { results } = await validator.validateFile(path);
      const messages = results.flatMap((result) => result.messages);
      assertNone(messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`));
    });

    it("has all its tables and text without script", async () => {
      const page = await open(browser, path, { script: false });
      assertNone(await page.evaluate(examine.hidden));
      await page.close();
    });
  });
}
