// Viewers as a relay sees them, who write down what they are told.
import type { Audience } from '../../src/source/source.ts';

export interface HeardAudience extends Audience {
  pollMs: number;
  /** Every warning, standing ones once each time they are set. */
  readonly heard: string[];
  /** What one who joins now would be told. */
  standing: string | undefined;
}

export function audience(pollMs = 500): HeardAudience {
  const heard: string[] = [];
  return {
    pollMs,
    heard,
    standing: undefined,
    warn: (code) => void heard.push(code),
    setActiveWarning(warning) {
      this.standing = warning?.code;
      if (warning) heard.push(warning.code);
    },
  };
}
