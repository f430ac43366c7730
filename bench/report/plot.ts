// An SVG plot of each server's cost per delivered frame, on a logarithmic scale. The text is a grey that is
// readable on light and dark backgrounds, and the bars are labelled with their values.

export interface Bars {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const WIDTH = 720;
const LABELS = 150;
const NUMBERS = 70;
const BAR = 18;
const GAP = 6;
const TITLE = 34;
const OURS = /^execstream/;

/** Groups of bars, one below the other, on one scale. */
export function plot(groups: readonly Bars[], unit: string): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  // The axis ends at powers of ten, so that similar results give the same picture.
  const min = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const max = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const length = (value: number) =>
    ((WIDTH - LABELS - NUMBERS) * Math.log(value / min)) / Math.log(max / min);
  const lines: string[] = [];
  let y = 8;
  for (const { title, bars } of groups) {
    lines.push(`<text x="0" y="${y + 16}" font-weight="bold">${escaped(title)}</text>`);
    y += TITLE - GAP;
    for (const { name, value } of [...bars].sort((a, b) => a.value - b.value)) {
      const width = Math.max(1, length(value)).toFixed(1);
      const colour = OURS.test(name) ? '#2f9e6e' : '#8a94a6';
      lines.push(
        `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end">${escaped(name)}</text>`,
        `<rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${colour}"/>`,
        `<text x="${(LABELS + Number(width) + 6).toFixed(1)}" y="${y + 13}">${Number(value.toPrecision(2))}</text>`,
      );
      y += BAR + GAP;
    }
    y += GAP * 2;
  }
  lines.push(`<text x="0" y="${y + 8}">${escaped(unit)}, logarithmic from ${min} to ${max}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 20}" font-family="system-ui, sans-serif" font-size="13" fill="#7d8694" role="img" aria-label="${escaped(unit)}">
${lines.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
