// How content is parted into events, as the server hands it to relays.

import { splitText } from '../../src/event/text.ts';
import { DEFAULT_LIMITS } from '../../src/publish/limits.ts';
import { createValueState } from '../../src/publish/resend-state.ts';

export const content = { splitText, createValue: () => createValueState(DEFAULT_LIMITS) };
