// Events: one interface, and an object type that implements it for each event type.
//
// Fields of the same name have the same type in all of them (`status: String`, `code: String`), so that clients can
// select them in several fragments of one document.
import type { EventData, EventType, ExecutionEvent } from '../event/events.ts';
import { executionIdOf } from '../event/execution-key.ts';
import { usageOf } from '../event/usage.ts';
import { builder, EventTypeEnum, UsageObject } from './builder.ts';

export const ExecutionEventInterface = builder.interfaceRef<ExecutionEvent>('ExecutionEvent').implement({
  description: 'An immutable fact about one execution.',
  fields: (t) => ({
    id: t.field({
      type: 'Cursor',
      resolve: (event) => event.id,
      description: 'The cursor to resume after this event.',
    }),
    seq: t.exposeInt('seq'),
    type: t.field({ type: EventTypeEnum, resolve: (event) => event.type }),
    ts: t.field({ type: 'DateTime', resolve: (event) => event.ts }),
    executionId: t.id({ resolve: (event) => executionIdOf(event.executionId) }),
    attempt: t.exposeInt('attempt'),
    data: t.field({ type: 'JSON', resolve: (event) => event.data }),
  }),
  resolveType: (event) => objectName(event.type),
});

/** `llm_chunk` → `LlmChunkEvent`. Without the suffix, names such as `Error` would collide with those of other subgraphs. */
function objectName(type: EventType): string {
  return `${type.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Event`;
}

type Shape = 'ID' | 'String' | 'Int' | 'Float' | 'Boolean' | 'JSON' | 'Usage';

/** The typed fields. `!` marks non-null ones; a pair reads another key of the data, if the interface uses the name. */
const FIELDS: {
  [T in EventType]: { [field: string]: `${Shape}${'!' | ''}` | [keyof EventData[T] & string, Shape] };
} = {
  workflow_start: { workflowId: 'ID', workflowType: 'String', runId: 'ID' },
  workflow_status: { status: 'String!', step: 'String', usage: 'Usage' },
  agent_start: { agentId: 'ID', action: 'String', childId: ['executionId', 'ID'] },
  agent_status: { status: 'String!', step: 'String', childId: ['executionId', 'ID'] },
  task_start: {
    taskId: 'ID',
    summary: 'String',
    childId: ['executionId', 'ID'],
    childKind: ['executionKind', 'String'],
    input: 'JSON',
    inputOmitted: 'Boolean',
    inputBytes: 'Int',
  },
  task_status: {
    status: 'String!',
    step: 'String',
    taskId: 'ID',
    childId: ['executionId', 'ID'],
    childKind: ['executionKind', 'String'],
    taskAttempt: 'Int',
    nextAttemptAt: 'String',
    progress: 'JSON',
    progressOmitted: 'Boolean',
    progressBytes: 'Int',
    result: 'JSON',
    resultOmitted: 'Boolean',
    resultBytes: 'Int',
  },
  tool_call: {
    toolCallId: 'ID!',
    toolName: 'String!',
    status: 'String!',
    args: 'JSON',
    argsOmitted: 'Boolean',
    argsBytes: 'Int',
    result: 'JSON',
    resultOmitted: 'Boolean',
    resultBytes: 'Int',
    error: 'String',
    durationMs: 'Float',
  },
  llm_chunk: { content: 'String!', topic: 'String' },
  structured_delta: { patch: 'JSON!' },
  custom: { name: 'String!', value: 'JSON', valueOmitted: 'Boolean', valueBytes: 'Int' },
  warning: { code: 'String', message: 'String!' },
  reset: { reason: 'String!' },
  gap: {
    fromSeq: 'Int!',
    toSeq: 'Int!',
    text: 'String',
    textOmitted: 'Boolean',
    textBytes: 'Int',
    value: 'JSON',
    valueOmitted: 'Boolean',
    valueBytes: 'Int',
  },
  error: { status: 'String!', message: 'String!', code: 'String', usage: 'Usage', durationMs: 'Float' },
  complete: {
    status: 'String!',
    result: 'JSON',
    resultOmitted: 'Boolean',
    resultBytes: 'Int',
    usage: 'Usage',
    durationMs: 'Float',
  },
};

const DURATION = 'Milliseconds: an integer from 0 to 2^53 - 1.';

const DESCRIPTIONS: Partial<Record<`${EventType}.${string}`, string>> = {
  'tool_call.argsOmitted': 'The arguments do not fit into a message.',
  'tool_call.argsBytes': 'The size of omitted arguments: bytes of JSON.',
  'tool_call.resultOmitted': 'The result does not fit into a message.',
  'tool_call.resultBytes': 'The size of an omitted result: bytes of JSON.',
  'task_start.summary': 'What the task does, in words for people.',
  'task_start.input': 'The argument of the task, or the list of its arguments, if it is shown.',
  'task_start.inputOmitted': 'The input does not fit into a message.',
  'task_start.inputBytes': 'The size of an omitted input: bytes of JSON.',
  'task_status.result': 'What the task returned, if it is shown.',
  'task_status.resultOmitted': 'The result does not fit into a message.',
  'task_status.resultBytes': 'The size of an omitted result: bytes of JSON.',
  'task_start.childKind': 'The kind of the execution that runs the task, unless it is a task.',
  'task_status.childKind': 'The kind of the execution that runs the task, unless it is a task.',
  'task_status.taskAttempt': 'The attempt of the task, from 1.',
  'task_status.nextAttemptAt': 'When the next attempt of the task starts: RFC 3339.',
  'task_status.progress': 'What the task last reported of its progress.',
  'task_status.progressOmitted': 'The progress is too large.',
  'task_status.progressBytes': 'The size of omitted progress in bytes.',
  'llm_chunk.content':
    'White space is content. The text is the concatenation of all chunks since the last reset.',
  'llm_chunk.topic': 'In the stream of a workflow: the topic of its Workflow Stream.',
  'custom.value': 'Whatever the application published.',
  'custom.valueOmitted': 'The value does not fit into a message.',
  'custom.valueBytes': 'The size of an omitted value: bytes of JSON.',
  'structured_delta.patch':
    'RFC 6902 operations on the current value, which is null at the start and after a reset.',
  'reset.reason':
    '`attempt`, `run`, `source`, `log_lost` or `overflow` (PROTOCOL.md): previous text, value and tool calls are void.',
  'gap.text': 'The complete text as of `toSeq`, if it is known.',
  'gap.textOmitted': 'The text is known and does not fit into a message.',
  'gap.textBytes': 'The size of an omitted text: bytes of JSON.',
  'gap.valueOmitted': 'The value is known and does not fit into a message.',
  'gap.valueBytes': 'The size of an omitted value: bytes of JSON.',
  'gap.value': 'The complete value as of `toSeq`, if it is known.',
  'tool_call.durationMs': DURATION,
  'error.durationMs': DURATION,
  'complete.durationMs': DURATION,
  'complete.result': 'The complete text or value.',
  'complete.resultOmitted':
    'The event does not carry the result. Query the execution for it, which also reports whether it was kept.',
  'complete.resultBytes': 'The size of a result that does not fit into a message: bytes of JSON.',
};

for (const type of Object.keys(FIELDS) as EventType[]) {
  builder.objectRef<ExecutionEvent>(objectName(type)).implement({
    interfaces: [ExecutionEventInterface],
    fields: (t) =>
      Object.fromEntries(
        Object.entries(FIELDS[type]).map(([name, field]) => {
          const [key, shape] = typeof field === 'string' ? [name, field] : field;
          const scalar = shape.replace('!', '') as Shape;
          return [
            name,
            t.field({
              type: scalar === 'Usage' ? UsageObject : scalar,
              nullable: !shape.endsWith('!'),
              ...describe(`${type}.${name}`),
              resolve: (event) => {
                const value = (event.data as unknown as Record<string, never>)[key];
                // Publishers that write to Redis directly append events that nothing has validated.
                return scalar === 'Usage' ? (usageOf(value) as never) : value;
              },
            }),
          ];
        }),
      ),
  });
}

function describe(field: `${EventType}.${string}`) {
  const description = DESCRIPTIONS[field];
  return description ? { description } : {};
}
