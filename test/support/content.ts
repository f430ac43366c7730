// Splits content into events, as the server configures it for relays.

import { DEFAULT_SIZE_LIMITS } from '../../src/event/size-limits.ts';
import { DEFAULT_LIMITS } from '../../src/publish/limits.ts';
import { createValueState } from '../../src/publish/resend-state.ts';

export const content = { sizes: DEFAULT_SIZE_LIMITS, createValue: () => createValueState(DEFAULT_LIMITS) };
