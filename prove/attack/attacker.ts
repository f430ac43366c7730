// The attacker's process: prepares one attack, runs it when told to, and reports what it was answered. It runs at a
// lower priority than the victim, whose clock judges.
//
//   node --import tsx prove/attack/attacker.ts '<AttackerSettings as JSON>'      (with an IPC channel)
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createArms } from './attack.ts';
import { ATTACKS } from './attacks/all.ts';
import type { AttackerSettings, FromAttacker, ToAttacker } from './messages.ts';

const settings = JSON.parse(process.argv[2]!) as AttackerSettings;
const attack = ATTACKS.find(({ id }) => id === settings.attackId)!;
/** What is granted a request that waits when the time is up. */
const GRACE_MS = 1_000;
/** How long the attack's own check may take. */
const CHECK_MS = 10_000;

const tell = (message: FromAttacker): void => {
  if (process.connected) process.send!(message);
};
process.on('disconnect', () => process.exit(0));
setPriority(10);

const answers: Record<string, number> = {};
const { arms, start, close } = createArms(settings, (how) => {
  answers[how] = (answers[how] ?? 0) + 1;
});

async function run(): Promise<void> {
  start(settings.seconds);
  const ended = attack
    .run(arms)
    .catch((error: Error) => arms.count(`stopped: ${error.message.slice(0, 120)}`));
  await Promise.race([ended, sleep(settings.seconds * 1_000 + GRACE_MS)]);
  close();
  const checked = Promise.resolve(attack.check?.(arms) ?? []).catch((error: Error) => [error.message]);
  const findings = await Promise.race([checked, sleep(CHECK_MS, ['its check got no answer'])]);
  tell({ is: 'done', answers, findings });
}

process.on('message', ({ do: what }: ToAttacker) => {
  if (what === 'attack') void run();
});
try {
  await attack.prepare?.(arms);
  // What preparing was answered does not count.
  for (const how of Object.keys(answers)) delete answers[how];
  tell({ is: 'ready' });
} catch (error) {
  tell({ is: 'failed', why: error instanceof Error ? error.message : String(error) });
}
