// A trace to take along: as a picture that stands alone, and as JSON.

import { layout, pathsOf } from './layout.js';

const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

/** A complete SVG document; readable in light and dark, with nothing from elsewhere. */
export function svgOf(title, steps) {
  const plan = layout(steps);
  const head = 40;
  const lines = plan.actors.map(
    ({ name, x }) =>
      `<line class="life" x1="${x}" y1="${head + 40}" x2="${x}" y2="${head + plan.height - 12}"/>` +
      `<rect class="actor" x="${x - 70}" y="${head + 10}" width="140" height="30" rx="6"/>` +
      `<text class="name" x="${x}" y="${head + 30}">${escape(name)}</text>`,
  );
  const arrows = plan.arrows.map((arrow) => {
    const paths = pathsOf(arrow);
    const { x, y, anchor } = paths.text;
    return (
      `<g class="${arrow.verdict}" transform="translate(0 ${head})"><path class="line" d="${paths.line}"/><path d="${paths.head}"/>` +
      `<text x="${x}" y="${y}" text-anchor="${anchor}"><tspan font-weight="700">${escape(arrow.number)}</tspan> ${escape(arrow.text)}</text></g>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${plan.width} ${plan.height + head}" role="img" font-family="system-ui,sans-serif" font-size="12.5">` +
    `<title>${escape(title)}</title><style>.bg{fill:#fff}text{fill:#1b232c}.actor{fill:#e3eff7;stroke:#55616e}.name{text-anchor:middle;font-weight:600}` +
    '.life{stroke:#848f9c;stroke-dasharray:3 4}.line{fill:none;stroke-width:1.6}.pass{stroke:#19693d;fill:#19693d}.fail{stroke:#a8281f;fill:#a8281f}' +
    'g text{stroke:none;fill:#1b232c}@media(prefers-color-scheme:dark){.bg{fill:#12171c}text,g text{fill:#e6ebf0}.actor{fill:#1c3446}' +
    '.pass{stroke:#7fd3a0;fill:#7fd3a0}.fail{stroke:#ff9d93;fill:#ff9d93}}</style>' +
    `<rect class="bg" width="100%" height="100%"/><text x="20" y="28" font-size="15" font-weight="600">${escape(title)}</text>${lines.join('')}${arrows.join('')}</svg>\n`
  );
}

/** Gives the browser a file. */
export function save(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
