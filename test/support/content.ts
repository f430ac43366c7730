// How content is parted into events, as the server hands it to relays.

import { splitText } from '../../src/event/text.ts';
import { createHeldValue } from '../../src/publish/held.ts';
import { DEFAULT_LIMITS } from '../../src/publish/options.ts';

export const content = { splitText, createValue: () => createHeldValue(DEFAULT_LIMITS) };
