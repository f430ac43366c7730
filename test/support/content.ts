// Splits content into events, as the server configures it for relays.

import { splitText } from '../../src/event/text.ts';
import { DEFAULT_LIMITS } from '../../src/publish/limits.ts';
import { createValueState } from '../../src/publish/resend-state.ts';

export const content = { splitText, createValue: () => createValueState(DEFAULT_LIMITS) };
