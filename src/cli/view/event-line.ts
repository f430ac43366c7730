// One line for an event. Text and values have none: they are shown as content.
import type { ExecutionEvent, ExecutionKind, ExecutionStatus, JsonValue, Usage } from '../../event/events.ts';
import { formatCount, formatDuration, formatTime } from './format.ts';
import type { Style } from './style.ts';
import { sanitizeLine } from './text-width.ts';

type Tone = 'good' | 'bad' | 'notice' | 'neutral';

interface Line {
  readonly words: readonly (string | undefined)[];
  /** Shown less prominently, and cut if it is long. */
  readonly detail?: JsonValue | undefined;
  readonly tone: Tone;
}

/** Characters of JSON that are shown. */
const MAX_DETAIL = 160;

const COLOURS = { good: 'green', bad: 'red', notice: 'yellow', neutral: 'cyan' } as const;

/**
 * Returns undefined for an event that adds to the content.
 * @param kind of the execution
 */
export function eventLine(event: ExecutionEvent, kind: ExecutionKind, style: Style): string | undefined {
  const line = describe(event, kind);
  if (!line) return undefined;
  const words = line.words.flatMap((word) => (word === undefined || word === '' ? [] : sanitizeLine(word)));
  const detail = line.detail === undefined ? [] : [style.dim(shorten(JSON.stringify(line.detail)))];
  const name = style[COLOURS[line.tone]](event.type);
  return [style.dim(formatTime(event.ts)), name, ...words, ...detail].join(' ');
}

function shorten(json: string): string {
  return sanitizeLine(json.length > MAX_DETAIL ? `${json.slice(0, MAX_DETAIL)}…` : json);
}

function describe({ type, data }: ExecutionEvent, kind: ExecutionKind): Line | undefined {
  switch (type) {
    case 'llm_chunk':
    case 'structured_delta':
      return undefined;
    case 'workflow_start':
      return { words: [data.workflowType, data.workflowId], tone: 'neutral' };
    case 'agent_start':
      return { words: [data.agentId, data.action, data.executionId], tone: 'neutral' };
    case 'task_start':
      return { words: [data.taskId, data.summary, data.executionId], detail: data.input, tone: 'neutral' };
    case 'workflow_status':
    case 'agent_status':
      return statusLine(data);
    case 'task_status': {
      const attempt = data.taskAttempt === undefined ? undefined : `attempt ${data.taskAttempt}`;
      const next = data.nextAttemptAt && `next at ${formatTime(data.nextAttemptAt)}`;
      const detail = data.progress ?? data.result;
      return {
        ...statusLine(data, data.taskId),
        words: [...statusLine(data, data.taskId).words, attempt, next],
        detail,
      };
    }
    case 'tool_call': {
      const took = data.durationMs === undefined ? undefined : `in ${formatDuration(data.durationMs)}`;
      const detail = data.status === 'started' ? data.args : data.result;
      const tone = data.status === 'failed' ? 'bad' : data.status === 'succeeded' ? 'good' : 'neutral';
      return { words: [data.toolName, data.status, took, data.error], detail, tone };
    }
    case 'custom':
      return { words: [data.name], detail: data.value, tone: 'neutral' };
    case 'warning':
      return { words: [data.code, data.message], tone: 'notice' };
    case 'reset':
      return { words: [data.reason], tone: 'notice' };
    case 'gap': {
      const count = formatCount(data.toSeq - data.fromSeq + 1, 'event');
      return {
        words: [`${count} no longer available, from ${data.fromSeq} to ${data.toSeq}`],
        tone: 'notice',
      };
    }
    case 'error':
      return { words: [data.status, data.code, data.message, ...endWords(data)], tone: 'bad' };
    case 'complete': {
      // Elsewhere the result is the content.
      const detail = kind === 'workflow' ? data.result : undefined;
      return { words: [data.status, ...endWords(data)], detail, tone: 'good' };
    }
  }
}

interface StatusData {
  readonly status: ExecutionStatus;
  readonly step?: string;
  readonly executionId?: string;
}

function statusLine({ status, step, executionId }: StatusData, name?: string): Line {
  return { words: [name, status, step, executionId], tone: toneOf(status) };
}

export function toneOf(status: ExecutionStatus): Tone {
  if (status === 'SUCCESS') return 'good';
  if (status === 'PAUSED' || status === 'WAITING') return 'notice';
  return status === 'PENDING' || status === 'RUNNING' ? 'neutral' : 'bad';
}

function endWords({ durationMs, usage }: { readonly durationMs: number; readonly usage?: Usage }): string[] {
  const tokens = usage ? [`${formatCount(usage.totalTokens, 'token')}`] : [];
  return [`in ${formatDuration(durationMs)}`, ...tokens];
}
