/** What the browser makes of a page. Each function runs in the page itself, and so uses nothing from here. */

/** How far the page is wider than the window, in CSS pixels. */
export function overflow() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}

/** Every size of visible text in points, with an example; text of SVGs as it is scaled. */
export function textSizes() {
  const sizes = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    range.selectNodeContents(walker.currentNode);
    const { width, height } = range.getBoundingClientRect();
    if (width <= 1 || height <= 1) continue; // read to those who do not see it
    const matrix = element instanceof SVGElement ? element.getScreenCTM() : null;
    const scale = matrix ? Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c)) : 1;
    const points = Math.round(parseFloat(getComputedStyle(element).fontSize) * scale * 0.75 * 100) / 100;
    if (!sizes.has(points)) sizes.set(points, `${element.tagName} ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return [...sizes].sort(([first], [second]) => first - second);
}

/** Figures that no page of A4 has room for, and that are torn where they are printed. */
export function taller(limit) {
  return [...document.querySelectorAll(".drawn svg")]
    .filter((drawing) => drawing.getBoundingClientRect().height > limit)
    .map((drawing) => drawing.closest("figure").id);
}

/** Headings that skip a level, or are not one h1 and then others. */
export function headingsOutOfOrder() {
  const wrong = [];
  let before = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1 || (level === 1 && before)) wrong.push(`h${before}, then ${heading.outerHTML}`);
    before = level;
  }
  return wrong;
}

/** Cells of tables and paragraphs that cannot be seen, nor unfolded. */
export function hidden() {
  return [...document.querySelectorAll("main td, main th, main p, main li")]
    .filter((element) => element.textContent.trim() && !element.closest("details:not([open])"))
    .filter((element) => !element.checkVisibility({ visibilityProperty: true }))
    .map((element) => element.textContent.trim().slice(0, 60));
}

/** Text inside of SVGs with less contrast than WCAG AA asks for; axe-core looks at HTML alone. */
export function faintSvgText() {
  const channels = (colour) => {
    const numbers = (colour.match(/[\d.]+/g) ?? []).map(Number);
    const scale = colour.startsWith("color(") ? 255 : 1;
    return { rgb: numbers.slice(0, 3).map((value) => value * scale), alpha: numbers[3] ?? 1 };
  };
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const over = (top, alpha, bottom) => top.map((value, place) => alpha * value + (1 - alpha) * bottom[place]);
  const paint = (element) => {
    const style = getComputedStyle(element);
    if (!(element instanceof SVGElement) || element.tagName === "svg") return channels(style.backgroundColor);
    if (style.fill === "none") return { rgb: [0, 0, 0], alpha: 0 };
    const fill = channels(style.fill);
    return { ...fill, alpha: fill.alpha * Number(style.fillOpacity) * Number(style.opacity) };
  };
  const behind = (text) => {
    const centre = () => {
      const { left, top, width, height } = text.getBoundingClientRect();
      return [left + width / 2, top + height / 2];
    };
    let stack = document.elementsFromPoint(...centre());
    if (!stack.some((element) => element.contains(text) && element !== document.documentElement)) {
      text.scrollIntoView({ block: "center", inline: "center" });
      stack = document.elementsFromPoint(...centre());
    }
    const below = stack.filter((element) => !element.closest("text") && element.tagName !== "image");
    return below.reduceRight((colour, element) => {
      const { rgb, alpha } = paint(element);
      return over(rgb, alpha, colour);
    }, [255, 255, 255]);
  };
  const faint = [];
  for (const text of document.querySelectorAll("svg text")) {
    if (!text.textContent.trim() || !text.checkVisibility({ visibilityProperty: true })) continue;
    const background = behind(text);
    const { rgb, alpha } = paint(text);
    const [high, low] = [luminance(over(rgb, alpha, background)), luminance(background)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${text.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)} to 1`);
  }
  window.scrollTo(0, 0);
  return faint;
}
