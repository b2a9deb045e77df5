// Defines looks in a page: it returns what of the page is hard to read, too wide
// or too small to hit, each as a sentence.
globalThis.looks = () => {
  const found = [];
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''}${e.className?.baseVal === undefined && e.className ? '.' + e.className.replaceAll(' ', '.') : ''}`;
  const top = document.querySelector('dialog[open]');
  const visible = (e) => {
    if (top && !top.contains(e)) return false;
    if (document.querySelector('#veil')?.hidden === false && !e.closest('.show-nav #nav, .show-side #side')) return false;
    if (e.closest('.hidden, .skip, [hidden]')) return false;
    const r = e.getBoundingClientRect();
    return e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && r.width > 0 && r.height > 0;
  };

  // Contrast (WCAG 2.2, 1.4.3): 4.5 to 1, for large text 3 to 1.
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    const layers = [];
    for (let p = e; p; p = p.parentElement) layers.push(rgba(getComputedStyle(p).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const opacity = (e) => {
    let o = 1;
    for (let p = e; p; p = p.parentElement) o *= Number(getComputedStyle(p).opacity);
    return o;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !visible(e) || e.closest(':disabled')) continue;
    const style = getComputedStyle(e);
    const back = behind(e);
    const [r, g, b, a] = rgba(style.color);
    const front = over([r, g, b, a * opacity(e)], back);
    const [low, high] = [luminance(front), luminance(back)].sort((x, y) => x - y);
    const ratio = (high + 0.05) / (low + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${name(e)} has a contrast of ${ratio.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 30)}`);
  }

  // Nothing is wider than the window (1.4.10).
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
  for (const e of document.querySelectorAll('.scroller:not([hidden]), .lists, .members')) {
    if (visible(e) && e.scrollWidth > e.clientWidth + 1) found.push(`${name(e)} scrolls sideways: ${e.scrollWidth} in ${e.clientWidth}`);
  }

  // What is to be hit has 24 by 24 px at least (2.5.8), links in text aside.
  for (const e of document.querySelectorAll('button, input, textarea, .place')) {
    const hit = e.matches('[type=checkbox], [type=radio]') ? e.closest('label') : e;
    const r = hit.getBoundingClientRect();
    if (visible(e) && (r.width < 23.9 || r.height < 23.9)) found.push(`${name(e)} is ${r.width.toFixed(0)} by ${r.height.toFixed(0)} px`);
    if (visible(e) && (r.left < -0.5 || r.right > innerWidth + 0.5)) found.push(`${name(e)} is out of the window`);
  }
  return found;
};
void 0;
