// A worker process of the proof: publishes the attempts that it is assigned, and writes a journal of all
// acknowledgements. It is killed at random moments.
//
//   node --import tsx prove/worker/main.ts '<WorkerSettings as JSON>'      (with an IPC channel)
import { createPrismaStore, createPublisher, createRedisLogWriter } from '../../src/worker.ts';
import { createJournalWriter, journaled } from '../journal/writer.ts';
import { publishByHttp } from './by-http.ts';
import { type Outcome, publishByLibrary } from './by-library.ts';
import { createGate } from './gate.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './messages.ts';

const settings = JSON.parse(process.argv[2]!) as WorkerSettings;
const { url, sharedKey, waitReplicas } = settings;
const journal = createJournalWriter(settings.journal);
const gate = createGate();
const logger = {
  info: (fields: object, message: string) => console.log('info', message, fields),
  warn: (fields: object, message: string) => console.log('warn', message, fields),
  error: (fields: object, message: string) => console.log('error', message, fields),
};
const log = journaled(createRedisLogWriter({ redis: settings.redisUrl, waitReplicas }), journal);
const store = createPrismaStore({ url: settings.databaseUrl });
// Strict, so that an attempt that cannot begin is one of the outcomes.
const publisher = createPublisher({ log, store, logger, strict: true });

const send = (message: FromWorker): void => {
  // Without a channel the run is over.
  if (process.connected) process.send!(message);
};

process.on('message', (message: ToWorker) => {
  if (message.do === 'hold') {
    return message.isHeld ? gate.hold(() => send({ is: 'held' })) : gate.release();
  }
  const { plan, attempt } = message;
  const publish = (): Promise<Outcome> =>
    plan.by === 'http'
      ? publishByHttp(plan, attempt, { url, sharedKey, journal, gate })
      : publishByLibrary(plan, attempt, { publisher, journal, gate });
  publish().then(
    (outcome) => send({ is: 'done', id: plan.id, ...outcome }),
    (error) => {
      console.log('failed', plan.id, attempt, error);
      send({ is: 'done', id: plan.id, outcome: 'again', why: String(error) });
    },
  );
});
process.on('disconnect', () => process.exit(0));
send({ is: 'ready' });
