// `execstream state`: the state of an execution, and its result.
import { Command } from 'commander';
import type { ExecutionKind, ExecutionStatus, JsonValue, Usage } from '../../event/events.ts';
import { executionPath, ID_ARGUMENT, idOf, KIND_ARGUMENT, kindOf } from '../execution-arguments.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { runAction } from '../run-action.ts';
import { addServerOptions, requestJson, type ServerOptions, serverUrlOf } from '../server-access.ts';
import { toneOf } from '../view/event-line.ts';
import { formatCount, formatDateTime, formatDuration } from '../view/format.ts';
import { createStyle, type Style } from '../view/style.ts';
import { formatTable } from '../view/table.ts';
import { sanitize, sanitizeLine } from '../view/text-width.ts';

interface StateOptions extends ServerOptions {
  readonly json?: true;
  readonly color: boolean;
}

/** The REST state (PROTOCOL.md, "REST aliases"). */
interface RestState {
  readonly id: string;
  readonly kind: Uppercase<ExecutionKind>;
  readonly status: ExecutionStatus;
  readonly mode: string;
  readonly attempt: number;
  readonly name: string | null;
  readonly parent: string | null;
  readonly children: readonly string[];
  readonly childrenCount: number | null;
  readonly runId: string | null;
  readonly input: JsonValue;
  readonly result: JsonValue;
  readonly resultOmitted: boolean;
  readonly error: { readonly message: string; readonly code?: string | null } | null;
  readonly usage: Usage | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly lastCursor: string | null;
}

export function stateCommand(): Command {
  return addServerOptions(new Command('state'))
    .description(
      'Show the state of an execution: status, error, usage, times, input, and the result once it has ended.',
    )
    .argument(...KIND_ARGUMENT)
    .argument(...ID_ARGUMENT)
    .option('--json', 'print the state as JSON')
    .option('--no-color', 'do not use colours (also: NO_COLOR)')
    .action((kind: string, id: string, options: StateOptions) =>
      runAction(async () => {
        const path = executionPath(kindOf(kind), idOf(id));
        const state = await requestJson(serverUrlOf(options.url), path, options.token || undefined);
        const style = createStyle(process.stdout, options.color);
        const text = options.json ? JSON.stringify(state, null, 2) : formatState(state as RestState, style);
        process.stdout.write(`${text}\n`);
        return EXIT_CODES.success;
      }),
    );
}

const TONES = { good: 'green', bad: 'red', notice: 'yellow', neutral: 'cyan' } as const;

/** The fields that have a value, then the input and the result. */
export function formatState(state: RestState, style: Style): string {
  const { error, usage, durationMs, children, childrenCount } = state;
  const code = error?.code ? `${error.code}: ` : '';
  const rows: [string, string | null | undefined][] = [
    ['id', state.id],
    ['kind', state.kind.toLowerCase()],
    ['status', style[TONES[toneOf(state.status)]](state.status)],
    ['name', state.name],
    ['attempt', `${state.attempt}`],
    ['parent', state.parent],
    ['run', state.runId],
    ['children', children.length > 0 ? childrenText(children, childrenCount) : null],
    ['started', state.startedAt && formatDateTime(state.startedAt)],
    ['finished', state.finishedAt && formatDateTime(state.finishedAt)],
    ['duration', durationMs === null ? null : formatDuration(durationMs)],
    [
      'usage',
      usage && `${formatCount(usage.totalTokens, 'token')}${usage.model ? ` of ${usage.model}` : ''}`,
    ],
    ['cursor', state.lastCursor],
    ['error', error && style.red(sanitizeLine(`${code}${error.message}`))],
  ];
  const shown = rows.flatMap(([name, value]) => (value ? [[style.dim(name), value]] : []));
  const sections = [formatTable(shown).trimEnd()];
  if (state.input !== null) sections.push(section('input', state.input, style));
  if (state.result !== null) sections.push(section('result', state.result, style));
  else if (state.resultOmitted) sections.push(style.dim('the result was not kept'));
  return sections.join('\n\n');
}

const MAX_CHILDREN = 5;

function childrenText(children: readonly string[], count: number | null): string {
  const more = (count ?? children.length) - Math.min(children.length, MAX_CHILDREN);
  return `${children.slice(0, MAX_CHILDREN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function section(title: string, content: JsonValue, style: Style): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  return `${style.bold(title)}\n${sanitize(text).trimEnd()}`;
}
