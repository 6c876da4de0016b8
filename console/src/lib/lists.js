// Lists as lines of a text field, and members that are only there when they say something.

export const toLines = (list) => (list ?? []).join('\n');
export const toList = (text) =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter(Boolean);

/** The object without members that are empty texts, `null` or `undefined`. */
export const filled = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== '' && value !== null && value !== undefined));
