// `execstream replay`: shows the events of an execution again, with the pauses between them.
import { Command } from 'commander';
import { delay } from '../../async/delay.ts';
import { invalidInput } from '../../event/errors.ts';
import type { ExecutionEvent } from '../../event/events.ts';
import { cursorOf, ID_ARGUMENT, idOf, KIND_ARGUMENT, kindOf } from '../execution-arguments.ts';
import { runAction } from '../run-action.ts';
import { addServerOptions, type ServerOptions, serverUrlOf } from '../server-access.ts';
import { showExecution } from '../show-execution.ts';
import type { ViewOptions } from '../view/create-view.ts';

interface ReplayOptions extends ServerOptions, ViewOptions {
  readonly after?: string;
  readonly speed: string;
  readonly maxPause: string;
}

const MAX_SPEED = 1_000;
const MAX_PAUSE_SECONDS = 3_600;

export function replayCommand(): Command {
  return addServerOptions(new Command('replay'))
    .description(
      'Show the events of an execution again, at their original pace or faster. If it has not ended, the events that' +
        ' follow are shown as they arrive.',
    )
    .argument(...KIND_ARGUMENT)
    .argument(...ID_ARGUMENT)
    .option('--speed <factor>', 'how much faster than the original: 4x, 0.5x', '1x')
    .option('--max-pause <seconds>', 'the longest pause between two events, as it is shown', '3')
    .option('--after <cursor>', 'begin after this cursor, such as 42-k3f9ab01zz')
    .option('--json', 'print each event as one line of JSON')
    .option('--no-color', 'do not use colours (also: NO_COLOR)')
    .action((kind: string, id: string, options: ReplayOptions) =>
      runAction(async () =>
        showExecution({
          ...options,
          kind: kindOf(kind),
          id: idOf(id),
          url: serverUrlOf(options.url),
          token: options.token || undefined,
          after: cursorOf(options.after),
          events: undefined,
          pace: createPace(speedOf(options.speed), maxPauseOf(options.maxPause)),
        }),
      ),
    );
}

function speedOf(text: string): number {
  const speed = /^\d+(\.\d+)?x?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (speed > 0 && speed <= MAX_SPEED) return speed;
  throw invalidInput(
    `--speed: expected a factor up to ${MAX_SPEED}x, such as 4x, got "${text.slice(0, 40)}"`,
  );
}

function maxPauseOf(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_PAUSE_SECONDS) return seconds * 1_000;
  throw invalidInput(`--max-pause: expected 0 to ${MAX_PAUSE_SECONDS}, got "${text.slice(0, 40)}"`);
}

/**
 * Creates a function that waits before each event as long as the execution took since the event before.
 * @param speed divides the time
 * @param maxPauseMs limit of one pause
 */
export function createPace(
  speed: number,
  maxPauseMs: number,
): (event: ExecutionEvent, signal: AbortSignal) => Promise<void> {
  let last: number | undefined;
  /** When the last event was due. A late timer does not delay all further events. */
  let dueAt = 0;
  return async ({ ts }, signal) => {
    const at = Date.parse(ts);
    const pauseMs = Math.min(Math.max(0, (at - (last ?? at)) / speed), maxPauseMs);
    last = at;
    const now = performance.now();
    dueAt = Math.max(dueAt + pauseMs, now - maxPauseMs);
    if (pauseMs === 0 || dueAt <= now) return;
    await delay(dueAt - now, signal, true);
    signal.throwIfAborted();
  };
}
