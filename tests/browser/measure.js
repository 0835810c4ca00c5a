/** Weight, load time, elements and printed pages of pages: node measure.js PAGE.html... */
import { statSync } from "node:fs";
import { launch, open } from "./browser.js";

const TIMES = 5; // that each page is loaded; the median is told

async function loadTime(browser, path) {
  const times = [];
  for (let time = 0; time < TIMES; time++) {
    const page = await open(browser, path);
    times.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd));
    await page.close();
  }
  return times.sort((first, second) => first - second)[Math.floor(TIMES / 2)];
}

const browser = await launch();
console.log("| page | kB | load (ms) | elements | printed pages |\n|---|---:|---:|---:|---:|");
for (const path of process.argv.slice(2)) {
  const milliseconds = await loadTime(browser, path);
  const page = await open(browser, path);
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  await page.close();
  const onPaper = await open(browser, path, { media: "print" });
  const pdf = Buffer.from(await onPaper.pdf({ preferCSSPageSize: true })).toString("latin1");
  const printed = pdf.match(/\/Type \/Page\b/g).length;
  console.log(`| ${path} | ${Math.round(statSync(path).size / 1000)} | ${Math.round(milliseconds)} | ${elements} | ${printed} |`);
  await onPaper.close();
}
await browser.close();
