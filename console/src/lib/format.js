// Times, numbers and long names, as the pages show them.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const whole = new Intl.NumberFormat();

/** A time of today as a clock shows it, another with its day. */
export function when(text) {
  const at = new Date(text);
  if (Number.isNaN(at.valueOf())) return '–';
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : full.format(at);
}

export const whenInFull = (text) => (text ? full.format(new Date(text)) : '–');

/** What tells a trace from its neighbours: it begins with the time. */
export const shortTrace = (trace) => trace.slice(-8);

export const count = (number) => whole.format(number);

/** One thing, two things. */
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function bytes(number) {
  if (number < 1000) return `${number} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = number;
  let unit = 'B';
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

/** The beginning of a long identifier. */
export const short = (text, length = 8) => (text && text.length > length + 2 ? `${text.slice(0, length)}…` : (text ?? '–'));
