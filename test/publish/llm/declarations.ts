// Reads the names that a union of an SDK's type declarations has: the types of its parts, events, items or blocks.

/** The values of `type` in the members of a union, resolved within one declaration file; sorted. */
export function typesOf(declarations: string, union: string): string[] {
  const source = declarations.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const types = new Set<string>();
  const seen = new Set<string>();
  const collect = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const body = bodyOf(source, name);
    for (const [, type] of atDepth(body, 1).matchAll(/(?<![\w'])type: ((?:'[^']+'(?: \| )?)+)/g)) {
      for (const [, literal] of type!.matchAll(/'([^']+)'/g)) types.add(literal!);
    }
    const outside = atDepth(body, 0).replace(/'[^']*'/g, '');
    for (const [reference] of outside.matchAll(/[A-Z][\w.$]*/g)) collect(reference.split('.').at(-1)!);
  };
  collect(union);
  return [...types].sort();
}

/** The literals of a union of strings, sorted. */
export function literalsOf(declarations: string, union: string): string[] {
  return [...bodyOf(declarations, union).matchAll(/'([^']+)'/g)].map(([, literal]) => literal!).sort();
}

/** What follows the name of a type or an interface, up to its end; empty if it is not declared here. */
function bodyOf(source: string, name: string): string {
  const start = new RegExp(`\\b(?:type|interface) ${name.replace('$', '\\$')}(?![\\w$])`).exec(source);
  if (!start) return '';
  const isInterface = start[0].startsWith('interface');
  let depth = 0;
  for (let i = start.index + start[0].length; i < source.length; i += 1) {
    if (source[i] === '{') depth += 1;
    if (source[i] === '}') depth -= 1;
    const isEnd = isInterface ? source[i] === '}' : source[i] === ';';
    if (isEnd && depth === 0) return source.slice(start.index + start[0].length, i + 1);
  }
  return '';
}

/** The text inside of this many braces. */
function atDepth(text: string, wanted: number): string {
  let depth = 0;
  let kept = '';
  for (const char of text) {
    if (char === '}') depth -= 1;
    kept += depth === wanted ? char : ' ';
    if (char === '{') depth += 1;
  }
  return kept;
}
