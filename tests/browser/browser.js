/** A headless Chromium, and pages opened in it as a reader would have them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PRINTED = 703; // CSS pixels between the margins of an A4 page

/** Every way in which a page is looked at. */
export const VIEWS = ["light", "dark"]
  .flatMap((theme) => [1400, 900, 390].map((width) => ({ name: `${theme}, ${width} px`, theme, width })))
  .concat({ name: "printed", theme: "light", width: PRINTED, media: "print" });

export function launch(options = {}) {
  const sandbox = process.getuid() === 0 ? ["--no-sandbox"] : []; // which root cannot have
  return puppeteer.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [...sandbox, "--disable-gpu"],
    protocolTimeout: 60_000,
    ...options,
  });
}

/**
 * Open the page of a file. What goes wrong in it is put into `page.problems` as it happens: messages
 * of errors, violations of its Content Security Policy, and requests to anywhere.
 */
export async function open(browser, path, { theme = "light", width = 1400, media = "screen", script = true } = {}) {
  const page = await browser.newPage();
  const address = pathToFileURL(path).href;
  page.problems = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) page.problems.push(message.text());
  });
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("request", (request) => {
    const local = /^(data|blob):/.test(request.url()) || request.url().split("#")[0] === address;
    if (!local) page.problems.push(`request to ${request.url()}`);
  });
  await page.setViewport({ width, height: 900 });
  await page.setJavaScriptEnabled(script);
  // In one call: puppeteer's two, for the medium and for its features, each undo the other.
  const features = [{ name: "prefers-color-scheme", value: theme }];
  await (await page.createCDPSession()).send("Emulation.setEmulatedMedia", { media, features });
  await page.goto(address, { waitUntil: "load" });
  return page;
}

/** What axe-core finds: one line for each rule that is broken, with the first element. */
export async function accessibility(page) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ["violations"], preload: false });
    return found.violations.map(({ id, nodes }) => ({ id, count: nodes.length, first: nodes[0] }));
  });
  return violations.map(
    ({ id, count, first }) => `${id} (${count}): ${first.target.join(" ")} ${first.failureSummary ?? ""}`
  );
}
