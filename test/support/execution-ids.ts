// Ids that Temporal accepts for a workflow and that are difficult somewhere: in URLs, keys of Redis, patterns, logs or HTML.

/** By their difficulty. The caller adds a unique part if ids have to be unique. */
export const DIFFICULT_IDS: Readonly<Record<string, string>> = {
  'other scripts': '注文-Ünïcødé-🙂',
  spaces: '  order 42  ',
  'characters of queries and fragments': 'a=1&b=2?c#d;e',
  'percent signs': '100%/%2F%zz%',
  quotes: `"double" 'single' \`back\` \\`,
  braces: '}order{42}{',
  'dot segments': '../../etc/./passwd',
  'slashes at the ends': '/orders//42/',
  'a path of the API': 'orders/42/stream',
  'line breaks and controls': 'a\r\nb\n\tc\u001b[31m\u2028',
  'a wildcard': 'orders/*',
  markup: '<script>alert(1)</script>',
};

/** The longest ids. */
export const LONGEST_IDS: readonly string[] = ['x'.repeat(1_000), 'é'.repeat(500), '🙂'.repeat(250)];
