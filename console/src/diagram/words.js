// Why it was decided so, in sentences.

/** What the decision was and what it hung on. */
export function inWords(why) {
  const failed = why.checks.filter((check) => check.verdict === 'fail');
  const passed = why.checks.filter((check) => check.verdict === 'pass');
  const sentences = [];
  if (why.verdict === 'permit') {
    sentences.push(`${why.function} let ${why.operation} through and answered ${why.status}.`);
    if (passed.length > 0) sentences.push(`All ${passed.length} checks held.`);
    return sentences;
  }
  sentences.push(`${why.function} refused ${why.operation} for ${why.reason} and answered ${why.status}${why.cause ? ` ${why.cause}` : ''}.`);
  for (const check of failed) {
    const expected = check.expected ? ` It expected ${check.expected}` : '';
    const seen = check.seen ? `${expected ? ' and' : ' It'} saw ${check.seen}` : '';
    sentences.push(`The check “${check.check}” did not hold.${expected}${seen}${expected || seen ? '.' : ''}`);
    if (check.remedy) sentences.push(`What helps: ${check.remedy}`);
  }
  if (passed.length > 0) sentences.push(`Before it, ${passed.length === 1 ? 'one check' : `${passed.length} checks`} held.`);
  return sentences;
}
