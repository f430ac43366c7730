// An audience that records the warnings that it receives.
import type { Audience } from '../../src/source/source.ts';

export interface RecordingAudience extends Audience {
  pollMs: number;
  /** The code of every warning; of active ones, once each time they are set. */
  readonly warnings: string[];
  /** The code of the warning that a viewer that joins now would receive. */
  activeWarning: string | undefined;
}

export function audience(pollMs = 500): RecordingAudience {
  const warnings: string[] = [];
  return {
    pollMs,
    incarnation: undefined,
    warnings,
    activeWarning: undefined,
    warn: (code) => void warnings.push(code),
    setActiveWarning(warning) {
      this.activeWarning = warning?.code;
      if (warning) warnings.push(warning.code);
    },
  };
}
