// The parameters of the operations, as the parser checks them (parameters.ts, publish-api/).
import { EVENT_TYPES } from '../../event/events.ts';
import { MAX_CURSOR_LENGTH } from '../../execution/page-cursor.ts';
import { RUN_CURSOR_LENGTH } from '../../execution/workflow-runs.ts';
import { POLL_MS } from '../../schema/streams.ts';
import { DATA_FORMATS, DEFAULT_RUNS, MAX_PAGE_SIZE } from '../parameters.ts';
import { CURSOR, EXECUTION_ID } from './schemas.ts';

export const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of the execution, percent-encoded; `%FF.` and `%FF..` for the ids `.` and `..`.',
  schema: EXECUTION_ID,
};

const RUN = {
  name: 'run_id',
  in: 'query',
  description: 'One run of a Temporal workflow, which ends with that run. By default the latest run.',
  schema: { type: 'string', format: 'uuid' },
};

/** The parameters of a state. */
export const STATE_PARAMETERS = [
  RUN,
  {
    name: 'children_first',
    in: 'query',
    description: 'The number of child executions in `children`.',
    schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, default: MAX_PAGE_SIZE },
  },
  {
    name: 'children_after',
    in: 'query',
    description: 'The `childrenCursor` of the previous response: `children` continues after it.',
    schema: { type: 'string', maxLength: MAX_CURSOR_LENGTH },
  },
  {
    name: 'runs_first',
    in: 'query',
    description: `The number of runs in \`runs\`, of a Temporal workflow. Without this and \`runs_after\`, \`runs\` is null; with \`runs_after\`, the default is ${DEFAULT_RUNS}.`,
    schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE },
  },
  {
    name: 'runs_after',
    in: 'query',
    description: 'The `runsCursor` of the previous response: `runs` continues after it.',
    schema: { type: 'string', maxLength: RUN_CURSOR_LENGTH },
  },
];

/** The parameters of a stream. */
export const STREAM_PARAMETERS = [
  ID,
  RUN,
  {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The cursor of the last message that was received. Takes precedence over `last_event_id`.',
    schema: CURSOR,
    example: '42-k3f9ab01zzq4',
  },
  {
    name: 'last_event_id',
    in: 'query',
    description: 'The same, for clients that cannot set a header on their first request.',
    schema: CURSOR,
  },
  {
    name: 'events',
    in: 'query',
    description:
      'Only events of these types. `reset` and `gap` are always sent; the terminal event always closes the stream. Repeated parameters are combined.',
    style: 'form',
    explode: false,
    schema: { type: 'array', items: { type: 'string', enum: EVENT_TYPES } },
  },
  {
    name: 'data',
    in: 'query',
    description:
      'How the data of `llm_chunk` is sent: as plain text, or as JSON (`{"content":"…"}`) for clients that change line breaks or white space.',
    schema: { type: 'string', enum: DATA_FORMATS, default: 'text' },
  },
  {
    name: 'ping',
    in: 'query',
    description:
      'Heartbeats are sent as `event: ping` with `data: {}` instead of comments, so that an EventSource notices a dead connection.',
    schema: { type: 'string', enum: ['event'] },
  },
  {
    name: 'poll_ms',
    in: 'query',
    description: 'The polling interval, in milliseconds, of a source that announces nothing.',
    schema: { type: 'integer', minimum: POLL_MS.least, maximum: POLL_MS.most, default: POLL_MS.default },
  },
];

/** A header of a batch. */
export const headerParameter = (name: string, description: string, example: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string', minLength: 1, maxLength: 200 },
  example,
});

export const PUBLISHER_HEAD = {
  name: 'Publisher-Head',
  in: 'header',
  description: 'The `head` of the last response: detects a log that was restored to an older state.',
  schema: { type: 'integer', minimum: 0, maximum: 999_999_999_999_999 },
  example: 2,
};

export const CHOSEN_TOKEN = {
  name: 'Publisher-Token',
  in: 'header',
  description:
    'A token that the publisher chooses, at random. A repeated request with it has the same response.',
  schema: { type: 'string', minLength: 16, maxLength: 200 },
};
