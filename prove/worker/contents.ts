// What an execution says: a function of its seed and its attempt, so that mixing two attempts up would show.
import type { ExecutionPlan } from '../plan.ts';
import { createRandom } from '../random.ts';

const WORDS =
  'harbour tide ebb flow moon quay rope lantern fog gull naïve café 潮 汐 🌊 — “swell” <b>pier</b> data: id: \\n {x}'.split(
    ' ',
  );

/** The pieces of a text. White space, empty lines and lines that look like SSE are in it. */
export function textPieces({ seed, pieces, id, isHeavy }: ExecutionPlan, attempt: number): string[] {
  const random = createRandom(seed, 'text', attempt);
  return Array.from({ length: pieces }, (_, n) => {
    const words = Array.from({ length: random.whole(2, 8) }, () => random.pick(WORDS));
    const tail = random.pick([' ', ' ', '\n', '\n\n', '  ', '\t']);
    const said = words.join(' ').repeat(isHeavy ? 120 : 1);
    return n === 0 ? `${id} attempt ${attempt}\n` : said + tail;
  });
}

export interface GrowingValue {
  id: string;
  attempt: number;
  rows: { n: number; text: string; tags: string[] }[];
  summary: string;
}

/** A value as it grows, a state a piece. Each is the one before, changed: to be used before the next is asked for. */
export function* valueStates({ seed, pieces, id }: ExecutionPlan, attempt: number): Generator<GrowingValue> {
  const random = createRandom(seed, 'value', attempt);
  const value: GrowingValue = { id, attempt, rows: [], summary: '' };
  for (let n = 0; n < pieces; n += 1) {
    const step = random.next();
    if (step < 0.5 || value.rows.length === 0) {
      value.rows.push({ n, text: random.pick(WORDS), tags: [] });
    } else if (step < 0.8) {
      value.rows.at(-1)!.tags.push(random.pick(WORDS));
    } else if (step < 0.9 && value.rows.length > 3) {
      value.rows.splice(random.whole(0, value.rows.length - 1), 1);
    } else {
      value.summary = `${random.pick(WORDS)} ${n}`;
    }
    if (value.rows.length > 40) value.rows = value.rows.slice(-5);
    yield value;
  }
}
