// Checks what a run is begun with, and splits it into the fields of the row and the event that starts its stream.
import { invalidInput } from '../event/errors.ts';
import {
  EXECUTION_KINDS,
  type ExecutionKind,
  type ExecutionMode,
  type NewEvent,
  timestamp,
} from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { copyJson, jsonBytes } from '../event/json.ts';
import { DEFAULT_SIZE_LIMITS, eventTooLarge, type SizeLimits } from '../event/size-limits.ts';
import type { BeginExecution } from '../execution/store.ts';
import type { Redaction } from '../redact/redaction.ts';

/** What a run is begun with. */
export interface BeginRun extends Omit<BeginExecution, 'mode' | 'expectsHeartbeats'> {
  /**
   * Whether the content is a text or a structured value. A workflow is always `STRUCTURED`.
   * @default 'TEXT'
   */
  readonly mode?: ExecutionMode;
  /**
   * For agents: the agent's id.
   * @default the name, or else the id, of the execution
   */
  readonly agentId?: string;
  /** For agents: which of its actions runs. */
  readonly action?: string;
  /**
   * For tasks: the task's id.
   * @default the name, or else the id, of the execution
   */
  readonly taskId?: string;
  /**
   * For workflows: the type.
   * @default the name, or else the id, of the execution
   */
  readonly workflowType?: string;
}

/**
 * Checks a run and splits it into the row's fields and the start event, both redacted, except for their identifiers.
 * @throws ExecstreamError `BAD_USER_INPUT` naming the invalid field; `EVENT_TOO_LARGE`.
 */
export function prepareRun(
  run: BeginRun,
  redaction: Redaction,
  { part }: SizeLimits = DEFAULT_SIZE_LIMITS,
): { execution: BeginExecution; startEvent: NewEvent } {
  const { id, kind, attempt, parentId, tenant, workflowId, runId } = run;
  checkExecutionId(id);
  if (!EXECUTION_KINDS.includes(kind)) {
    throw invalidInput(`kind: expected ${EXECUTION_KINDS.join(', ')}, got "${kind}"`);
  }
  const mode = run.mode ?? (kind === 'workflow' ? 'STRUCTURED' : 'TEXT');
  if (mode !== 'TEXT' && mode !== 'STRUCTURED') {
    throw invalidInput(`mode: expected TEXT or STRUCTURED, got "${mode}"`);
  }
  if (attempt !== undefined && !(Number.isSafeInteger(attempt) && attempt >= 1)) {
    throw invalidInput(`attempt: expected a positive integer, got ${attempt}`);
  }
  const input = run.input === undefined ? undefined : redaction.json(copyJson(run.input, 'input'));
  const name = redaction.json(run.name);
  const ids = { id, parentId, tenant, workflowId, runId };
  const fields = { ...ids, kind, mode, attempt, name, input, expectsHeartbeats: true };
  const execution = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const { data, ...event } = startEventOf(kind, { ...run, name });
  const startEvent = { ...event, data: redaction.eventData(data) } as NewEvent;
  const bytes = jsonBytes(startEvent.data);
  if (bytes > part) throw eventTooLarge(startEvent.type, bytes, part);
  return { execution: execution as unknown as BeginExecution, startEvent };
}

/** @param run with its name redacted, which identifiers default to */
function startEventOf(kind: ExecutionKind, run: BeginRun): NewEvent {
  const ts = timestamp();
  const label = run.name || run.id;
  if (kind === 'workflow') {
    const { workflowId = run.id, workflowType = label, runId = crypto.randomUUID() } = run;
    return { type: 'workflow_start', ts, data: { workflowId, workflowType, runId } };
  }
  if (kind === 'agent') {
    const action = run.action === undefined ? {} : { action: run.action };
    return { type: 'agent_start', ts, data: { agentId: run.agentId ?? label, ...action } };
  }
  return { type: 'task_start', ts, data: { taskId: run.taskId ?? label } };
}
