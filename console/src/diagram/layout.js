// A trace as a sequence diagram: where each lifeline and each arrow stands. No DOM here.

/** Distance of two lifelines: as much as the labels between them need. */
const COLUMN = [190, 430];
const MARGIN = 90;
const TOP = 74;
const ROW = 62;
const SELF = 46;
const CHAR = 6.7;
/** Longest label of an arrow, among few and among many lifelines; the rest is in the panel. */
const LABEL = [62, 32];
const FEW = 3;

/** Whether the step held: a failed check makes it fail. */
export const verdictOf = (step) => (step.checks?.some((check) => check.verdict === 'fail') ? 'fail' : 'pass');

/** The steps of a trace; where nobody reported any, the decision as one arrow. */
export function stepsOf(trace, steps, why) {
  if (steps.length > 0 || !why) return steps;
  const to = { sim: 'SIM-S', ccf: 'CCF', san: 'SAn-S', sm: 'SM-S' }[why.function] ?? why.function;
  return [{ trace, procedure: 'outside a procedure', step: '', from: 'caller', to, message: why.operation, checks: why.checks, at: why.at }];
}

/** Positions of everything that is drawn. */
export function layout(steps) {
  const names = [];
  for (const step of steps) {
    for (const name of [step.from, step.to]) if (!names.includes(name)) names.push(name);
  }
  const longest = LABEL[names.length > FEW ? 1 : 0];
  const labels = steps.filter((step) => step.from !== step.to).map((step) => {
    const length = Math.min(step.message.length, longest) + step.step.length + 2;
    return (length * CHAR + 24) / Math.abs(names.indexOf(step.from) - names.indexOf(step.to));
  });
  const column = Math.min(Math.max(COLUMN[0], ...labels), COLUMN[1]);
  const x = (name) => MARGIN + names.indexOf(name) * column;
  const arrows = steps.map((step, index) => {
    const from = x(step.from);
    const to = x(step.to);
    const text = step.message.length > longest ? `${step.message.slice(0, longest - 1)}…` : step.message;
    // Beside the last lifeline there is nothing: what it does by itself is told on the near side, where room is.
    const last = names.length > 1 && step.from === names[names.length - 1];
    return { index, y: TOP + 34 + index * ROW, from, to, self: from === to, last, number: step.step, text, verdict: verdictOf(step) };
  });
  const widest = arrows.map((arrow) => {
    const label = (arrow.text.length + String(arrow.number).length + 3) * CHAR;
    if (arrow.self && arrow.last) return arrow.from + SELF;
    return arrow.self ? arrow.from + SELF + label : (arrow.from + arrow.to) / 2 + label / 2;
  });
  const right = MARGIN + (names.length - 1) * column + MARGIN;
  return {
    width: Math.ceil(Math.max(right, 320, ...widest.map((end) => end + 16))),
    height: TOP + steps.length * ROW + 28,
    top: TOP,
    row: ROW,
    actors: names.map((name) => ({ name, x: x(name) })),
    arrows,
  };
}

/** The line and the head of an arrow. */
export function pathsOf(arrow) {
  if (arrow.self) {
    const y = arrow.y;
    return {
      line: `M${arrow.from} ${y - 8}h34v18h-26`,
      head: `M${arrow.from + 1} ${y + 10}l9 -4.5v9z`,
      text: arrow.last ? { x: arrow.from - 12, y: y + 4, anchor: 'end' } : { x: arrow.from + SELF, y: y + 4, anchor: 'start' },
    };
  }
  const way = arrow.to > arrow.from ? 1 : -1;
  return {
    line: `M${arrow.from} ${arrow.y}H${arrow.to - 8 * way}`,
    head: `M${arrow.to} ${arrow.y}l${-9 * way} -4.5v9z`,
    text: { x: (arrow.from + arrow.to) / 2, y: arrow.y - 9, anchor: 'middle' },
  };
}
