// Faults of processes: servers, workers and stores are killed, replaced or suspended.
import { type Fault, pause } from './fault.ts';

export const PROCESSES: readonly Fault[] = [
  {
    kind: 'server-killed',
    async play({ random, servers }) {
      const server = random.pick(servers);
      await server.kill();
      await pause(random.integer(200, 2_000));
      await server.start();
      return true;
    },
  },
  {
    kind: 'rolling-deploy',
    async play({ random, servers }) {
      for (const server of random.shuffled(servers)) {
        await server.stop();
        await server.start();
      }
      return true;
    },
  },
  {
    kind: 'redis-restarted',
    async play({ random, redis }) {
      await redis.restart(random.integer(100, 2_500));
      return true;
    },
  },
  {
    kind: 'redis-frozen',
    async play({ random, redis }) {
      await redis.freeze(random.integer(2_000, 7_000));
      return true;
    },
  },
  {
    kind: 'redis-connections-cut',
    async play({ redis }) {
      await redis.cutClients();
      return true;
    },
  },
  {
    kind: 'postgres-restarted',
    async play({ random, postgres }) {
      await postgres.kill();
      await pause(random.integer(100, 2_500));
      await postgres.restart();
      return true;
    },
  },
  {
    kind: 'worker-killed',
    play: async ({ workers }) => (await workers.kill()) > 0,
  },
  {
    kind: 'temporal-worker-killed',
    play: async ({ temporalWorkers }) => temporalWorkers !== undefined && (await temporalWorkers.kill()) > 0,
  },
];
