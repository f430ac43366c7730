// The arguments that name an execution, and those that select events.
import { parseCursor } from '../event/cursor.ts';
import { ExecstreamError, invalidInput } from '../event/errors.ts';
import { EVENT_TYPES, type EventType, EXECUTION_KINDS, type ExecutionKind } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';

/** As they are described in help. */
export const KIND_ARGUMENT = ['<kind>', 'workflow, agent or task'] as const;
export const ID_ARGUMENT = ['<id>', 'the id of the execution'] as const;

/**
 * A kind, in singular or plural.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function kindOf(text: string): ExecutionKind {
  const kind = EXECUTION_KINDS.find((each) => each === text.toLowerCase().replace(/s$/, ''));
  if (kind) return kind;
  throw invalidInput(`kind: expected workflow, agent or task, got "${text.slice(0, 80)}"`);
}

/** @throws ExecstreamError `BAD_USER_INPUT` */
export function idOf(text: string): string {
  return checkExecutionId(text);
}

/**
 * A cursor, or undefined if there is none.
 * @throws ExecstreamError `BAD_CURSOR`
 */
export function cursorOf(text: string | undefined): string | undefined {
  try {
    if (text !== undefined) parseCursor(text);
  } catch (error) {
    throw new ExecstreamError('BAD_CURSOR', `--after: ${(error as Error).message}`);
  }
  return text;
}

/**
 * Event types, separated by commas.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function eventTypesOf(text: string | undefined): readonly EventType[] | undefined {
  const names = text?.split(',').flatMap((name) => name.trim().toLowerCase() || []);
  const unknown = names?.find((name) => !(EVENT_TYPES as readonly string[]).includes(name));
  if (unknown === undefined) return names as readonly EventType[] | undefined;
  throw invalidInput(`--events: expected ${EVENT_TYPES.join(', ')}, got "${unknown.slice(0, 40)}"`);
}

/** The path of an execution. */
export function executionPath(kind: ExecutionKind, id: string): string {
  // URL parsers resolve these segments, also if they are encoded (PROTOCOL.md, "Execution ids").
  const segment = id === '.' || id === '..' ? `%FF${id}` : encodeURIComponent(id);
  return `/api/v0/executions/${kind}s/${segment}`;
}
