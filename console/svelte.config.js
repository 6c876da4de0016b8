// Styles go to files: the policy of the pages allows none inline.
export default { compilerOptions: { runes: true, css: 'external' } };
