// What begins a run: checked, as the row takes it, and as the event that begins its stream.
import { randomUUID } from 'node:crypto';
import { invalidInput } from '../event/errors.ts';
import {
  EXECUTION_KINDS,
  type ExecutionKind,
  type ExecutionMode,
  MAX_DATA_BYTES,
  type NewEvent,
  timestamp,
} from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { copyJson, jsonBytes, tooLarge } from '../event/json.ts';
import type { BeginExecution } from '../execution/store.ts';
import type { Redaction } from '../redact/redaction.ts';

/** What is begun. `mode` is `TEXT` by default, for workflows always `STRUCTURED`. */
export interface BeginRun extends Omit<BeginExecution, 'mode' | 'expectsHeartbeats'> {
  readonly mode?: ExecutionMode;
  /** Of an agent; by default its name or id. */
  readonly agentId?: string;
  /** Of an agent: which of its actions runs. */
  readonly action?: string;
  /** Of a task; by default its name or id. */
  readonly taskId?: string;
  /** Of a workflow; by default its name or id. */
  readonly workflowType?: string;
}

/**
 * Checks what is begun and parts it into the row's fields and the start event, both redacted. The ids by which row
 * and log are found stay as they are.
 * @throws ExecstreamError `BAD_USER_INPUT` naming what is wrong; `EVENT_TOO_LARGE`.
 */
export function prepareRun(
  run: BeginRun,
  redaction: Redaction,
): { execution: BeginExecution; startEvent: NewEvent } {
  const { id, kind, attempt, parentId, tenant, workflowId, runId } = run;
  checkExecutionId(id);
  if (!EXECUTION_KINDS.includes(kind))
    throw invalidInput(`"${kind}" is not a kind; expected ${EXECUTION_KINDS.join(', ')}`);
  const mode = run.mode ?? (kind === 'workflow' ? 'STRUCTURED' : 'TEXT');
  if (mode !== 'TEXT' && mode !== 'STRUCTURED')
    throw invalidInput(`"${mode}" is not a mode; expected TEXT or STRUCTURED`);
  if (attempt !== undefined && !(Number.isSafeInteger(attempt) && attempt >= 1)) {
    throw invalidInput(`attempt is ${attempt}; expected an integer from 1`);
  }
  const input = run.input === undefined ? undefined : redaction.json(copyJson(run.input, 'input'));
  const name = redaction.json(run.name);
  const ids = { id, parentId, tenant, workflowId, runId };
  const fields = { ...ids, kind, mode, attempt, name, input, expectsHeartbeats: true };
  const execution = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const startEvent = redaction.json(start(kind, run));
  const bytes = jsonBytes(startEvent.data);
  if (bytes > MAX_DATA_BYTES) throw tooLarge(startEvent.type, bytes);
  return { execution: execution as unknown as BeginExecution, startEvent };
}

function start(kind: ExecutionKind, run: BeginRun): NewEvent {
  const ts = timestamp();
  const label = run.name ?? run.id;
  if (kind === 'workflow') {
    const { workflowId = run.id, workflowType = label, runId = randomUUID() } = run;
    return { type: 'workflow_start', ts, data: { workflowId, workflowType, runId } };
  }
  if (kind === 'agent') {
    const action = run.action === undefined ? {} : { action: run.action };
    return { type: 'agent_start', ts, data: { agentId: run.agentId ?? label, ...action } };
  }
  return { type: 'task_start', ts, data: { taskId: run.taskId ?? label } };
}
