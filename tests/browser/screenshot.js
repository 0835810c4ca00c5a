/** A page's first screen in light and dark, as README shows it: node screenshot.js PAGE.html STEM */
import { launch, open } from "./browser.js";

const [path, stem] = process.argv.slice(2);
const browser = await launch();
for (const theme of ["light", "dark"]) {
  const page = await open(browser, path, { theme, width: 1180 });
  await page.setViewport({ width: 1180, height: 1230 });
  await page.screenshot({ path: `${stem}-${theme}.png` });
}
await browser.close();
