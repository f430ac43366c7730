// Private keys in PEM blocks: recognised by their header and the beginning of their body, then skipped.
import { type CharacterRun, type Continuation, endOfRun, LIKELY_UNITS, NO_MATCH, type Rule } from './rule.ts';

const LABEL: CharacterRun = { units: /[A-Z0-9 ]*/y };
const MAX_LABEL = 40;
const LINE_BREAKS: CharacterRun = { units: /[\s\\rn]*/y };
const PEM_UNITS = /(?:[A-Za-z0-9+/=\s\\:,.()]|-(?!----END ))*/y;
const PEM_END = /-----END [A-Z0-9 ]{0,40}(?:(-----)|-{0,4})/y;
const PEM_HEADERS = ['Proc-Type: ', 'DEK-Info: ', 'Version: ', 'Comment: '];
/** A key of 16,384 bits has about 13,000. */
const MAX_PEM = 32_768;

/** The PEM block of a private key, with line breaks or with `\n` as in JSON. */
export const privateKey: Rule = {
  kind: 'privateKey',
  triggers: ['-----BEGIN '],
  match(text, at, trigger, isEnd) {
    const label = endOfRun(LABEL, text, at + trigger.length, isEnd);
    const name = text.slice(at + trigger.length, label.to);
    if (name.length > MAX_LABEL) return NO_MATCH;
    const open = { is: 'open', likely: false, from: at } as const;
    if (label.isOpen) return open;
    if (!/PRIVATE KEY( BLOCK)?$/.test(name)) return NO_MATCH;
    const dashes = text.slice(label.to, label.to + 5);
    if (dashes !== '-----') return !isEnd && '-----'.startsWith(dashes) ? open : NO_MATCH;
    const breaks = endOfRun(LINE_BREAKS, text, label.to + 5, isEnd);
    if (breaks.to - label.to > 64) return NO_MATCH;
    if (breaks.isOpen) return open;
    const body = text.slice(breaks.to, breaks.to + 24);
    const isHeader = PEM_HEADERS.some((header) => body.startsWith(header));
    const isBody = /^[A-Za-z0-9+/=]*$/.test(body);
    if (isHeader || (isBody && body.length === 24)) {
      return { is: 'secret', from: at, to: breaks.to + body.length, skip: skipPem() };
    }
    const isPossible = isBody || PEM_HEADERS.some((header) => header.startsWith(body));
    if (isEnd || !isPossible || body.length === 24) return NO_MATCH;
    return { ...open, likely: body.length >= LIKELY_UNITS };
  },
};

/** Skips to the end line of the block, to text that cannot be part of a block, or to the length of the longest key. */
function skipPem(): Continuation {
  let skipped = 0;
  return (text, from, isEnd) => {
    const rest = text.slice(from, from + MAX_PEM - skipped);
    const isTail = !isEnd && from + rest.length === text.length && skipped + rest.length < MAX_PEM;
    let at = 0;
    let isOver = true;
    for (;;) {
      PEM_UNITS.lastIndex = at;
      at += PEM_UNITS.exec(rest)![0].length;
      PEM_END.lastIndex = at;
      const end = PEM_END.exec(rest);
      if (end?.[1]) {
        at += end[0].length;
        break;
      }
      // An incomplete end line is examined again when more text has arrived.
      const isIncomplete = end !== null && at + end[0].length === rest.length;
      if (isIncomplete && isTail) {
        isOver = false;
        break;
      }
      if (!end) {
        if (at < rest.length || !isTail) break;
        at -= /-{0,5}(?:(?<=-{5})E(?:ND?)?)?$/.exec(rest.slice(-9))![0].length;
        isOver = false;
        break;
      }
      at += end[0].length;
    }
    skipped += at;
    return { to: from + at, isOver };
  };
}
