// Faults between viewers and servers; they overlap with the other faults.
import { type Fault, pause } from './fault.ts';

export const CONNECTIONS: readonly Fault[] = [
  {
    kind: 'connections-cut',
    play: async ({ random, balancer }) => balancer.cut(random.pick([0.1, 0.3, 0.6, 1])) > 0,
  },
  {
    kind: 'connections-delayed',
    async play({ random, balancer }) {
      balancer.delay(random.integer(50, 800));
      await pause(random.integer(1_000, 4_000));
      balancer.delay(0);
      return true;
    },
  },
  {
    kind: 'connections-stalled',
    play: async ({ random, balancer }) => balancer.stall(0.2, random.integer(1_000, 5_000)) > 0,
  },
  {
    kind: 'readers-stalled',
    async play({ random, viewers }) {
      const ms = random.integer(2_000, 6_000);
      const stalled = viewers().filter((viewer) => random.chance(0.2) && viewer.stall(ms));
      await pause(ms);
      return stalled.length > 0;
    },
  },
  {
    // Viewers with expired tokens are disconnected: they get a 401 and renew their tokens.
    kind: 'tokens-expired',
    async play({ viewers, renewals }) {
      const before = renewals();
      for (const viewer of viewers()) if (viewer.isExpired) viewer.cut();
      await pause(2_000);
      return renewals() > before;
    },
  },
];
