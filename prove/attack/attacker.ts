// The attacker's process: prepares one attack, runs it on request, and reports the responses. It runs at a lower
// priority than the victim, whose clock is used to judge.
//
//   node --import tsx prove/attack/attacker.ts '<AttackerSettings as JSON>'      (with an IPC channel)
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAttackContext } from './attack.ts';
import { ATTACKS } from './attacks/all.ts';
import type { AttackerSettings, FromAttacker, ToAttacker } from './messages.ts';

const settings = JSON.parse(process.argv[2]!) as AttackerSettings;
const attack = ATTACKS.find(({ id }) => id === settings.attackId)!;
/** How long requests may take after the time is up. */
const GRACE_MS = 1_000;
/** Timeout of the attack's own check. */
const CHECK_MS = 10_000;

const send = (message: FromAttacker): void => {
  if (process.connected) process.send!(message);
};
process.on('disconnect', () => process.exit(0));
setPriority(10);

const responses: Record<string, number> = {};
const { context, start, close } = createAttackContext(settings, (how) => {
  responses[how] = (responses[how] ?? 0) + 1;
});

async function run(): Promise<void> {
  start(settings.seconds);
  const ended = attack
    .run(context)
    .catch((error: Error) => context.count(`stopped: ${error.message.slice(0, 120)}`));
  await Promise.race([ended, sleep(settings.seconds * 1_000 + GRACE_MS)]);
  close();
  const checked = Promise.resolve(attack.check?.(context) ?? []).catch((error: Error) => [error.message]);
  const findings = await Promise.race([checked, sleep(CHECK_MS, ['its check timed out'])]);
  send({ is: 'done', responses, findings });
}

process.on('message', ({ do: what }: ToAttacker) => {
  if (what === 'attack') void run();
});
try {
  await attack.prepare?.(context);
  // Responses during the preparation do not count.
  for (const how of Object.keys(responses)) delete responses[how];
  send({ is: 'ready' });
} catch (error) {
  send({ is: 'failed', why: error instanceof Error ? error.message : String(error) });
}
