// A setup file of suites that share the modules of a process (vitest.config.ts): fails a test file that leaves fake
// timers, globals, environment variables or listeners to the files after it.
import { afterAll, vi } from 'vitest';

/** Packages keep listeners of other events, as Temporal's worker does of `unhandledRejection`. */
const EVENTS = ['uncaughtException', 'warning', 'SIGINT', 'SIGTERM'];

/** Everything that a file must leave unchanged, by name. */
function currentState(): ReadonlyMap<string, unknown> {
  const globals = Object.entries(Object.getOwnPropertyDescriptors(globalThis));
  return new Map<string, unknown>([
    ['fake timers', vi.isFakeTimers()],
    ...EVENTS.map((event) => [`listeners of ${event}`, process.listenerCount(event)] as const),
    ...Object.entries(process.env).map(([name, value]) => [`process.env.${name}`, value] as const),
    // Not the getters of Node, which replace themselves when they are first used.
    ...globals.flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value] as const])),
  ]);
}

const before = currentState();

afterAll(() => {
  const after = currentState();
  const changed = [...before].filter(([name, value]) => !Object.is(after.get(name), value));
  // Packages add globals when they are first loaded, which is not a change.
  const added = [...after.keys()].filter((name) => name.startsWith('process.env.') && !before.has(name));
  const names = [...changed.map(([name]) => name), ...added];
  if (names.length > 0) throw new Error(`left to the files after this one: ${names.join(', ')}`);
});
