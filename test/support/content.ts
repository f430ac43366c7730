// How content is parted into events, as the server hands it to relays.
import { createHeldValue } from '../../src/publish/held.ts';
import { DEFAULT_LIMITS } from '../../src/publish/options.ts';
import { splitText } from '../../src/publish/text.ts';

export const content = { splitText, createValue: () => createHeldValue(DEFAULT_LIMITS) };
