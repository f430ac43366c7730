// Assembles the tool calls of a chat completion from the parts in its chunks. OpenAI identifies a call by its index:
// its id and name come first, then pieces of its arguments. Other servers give all calls the index 0 or none, repeat
// the name in every part, leave the ids out, or generate another id for every part.
import { field, nameIn } from './fields.ts';

/** A call with all its parts. */
export interface AssembledCall {
  readonly id: string;
  readonly name: string;
  /** JSON, if the model wrote it correctly. */
  readonly args: string;
}

export interface CallAssembler {
  /** Adds a part of a call: an element of `delta.tool_calls`. */
  add(part: unknown): void;
  /** Removes and returns the calls, in the order in which they began. */
  take(): AssembledCall[];
}

interface Part {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly args: string;
}

interface Call {
  id: string;
  name: string;
  args: string;
  json: JsonPosition;
}

/** The position at the end of a text in JSON. */
interface JsonPosition {
  /** Whether a JSON object was opened. */
  hasOpened: boolean;
  /** Open objects and arrays. */
  depth: number;
  isInString: boolean;
  isEscaped: boolean;
}

const START: JsonPosition = { hasOpened: false, depth: 0, isInString: false, isEscaped: false };

export function createCallAssembler(): CallAssembler {
  let calls: Call[] = [];
  /** The last call with each index. */
  let byIndex = new Map<number, Call>();

  function callOf({ index, id }: Part): Call | undefined {
    if (index !== undefined) return byIndex.get(index);
    return calls.findLast((call) => id !== '' && call.id === id) ?? calls.at(-1);
  }

  return {
    add(reported) {
      const part = parsePart(reported);
      let call = callOf(part);
      if (!call || beginsCall(part, call)) {
        call = { id: part.id, name: part.name || (call?.name ?? ''), args: '', json: START };
        calls.push(call);
      } else extendName(call, part);
      if (part.index !== undefined) byIndex.set(part.index, call);
      call.id ||= part.id;
      addArguments(call, part);
    },
    take() {
      const taken = calls;
      calls = [];
      byIndex = new Map();
      return taken;
    },
  };
}

/** Whether a part begins another call, although `call` has the same index, or is the last one without any. */
function beginsCall({ index, id, name, args }: Part, call: Call): boolean {
  if (name !== '' && id !== '' && call.id !== '' && id !== call.id) return true;
  if (name !== '' && name !== call.name) return call.args !== '' || (index === undefined && call.name !== '');
  // Arguments that follow complete ones are those of another call, unless the complete ones were a placeholder or are
  // repeated.
  const isRepeated = id !== '' && args === call.args;
  const isPlaceholder = name === '' && call.args === '{}';
  return args.trim() !== '' && isComplete(call) && !isRepeated && !isPlaceholder;
}

/** Names are sent completely, mostly once; some servers send them in pieces. */
function extendName(call: Call, { name }: Part): void {
  if (name === '' || name === call.name) return;
  call.name = name.startsWith(call.name) ? name : call.name + name;
}

function addArguments(call: Call, { args }: Part): void {
  if (!isComplete(call)) {
    call.args += args;
    call.json = follow(call.json, args);
  } else if (args.trim() !== '') {
    call.args = args;
    call.json = follow(START, args);
  }
}

/** Whether the arguments are a complete JSON object. */
function isComplete({ json }: Call): boolean {
  return json.hasOpened && json.depth === 0;
}

/** Counts braces instead of parsing, because long arguments come in thousands of parts. */
function follow({ hasOpened, depth, isInString, isEscaped }: JsonPosition, text: string): JsonPosition {
  for (const char of text) {
    if (isEscaped) isEscaped = false;
    else if (isInString && char === '\\') isEscaped = true;
    else if (char === '"') isInString = !isInString;
    else if (!isInString && (char === '{' || char === '[')) depth += 1;
    else if (!isInString && (char === '}' || char === ']')) depth -= 1;
    hasOpened ||= char === '{';
  }
  return { hasOpened, depth, isInString, isEscaped };
}

function parsePart(part: unknown): Part {
  const index = field(part, 'index');
  const partial = field(part, 'function');
  const args = field(partial, 'arguments');
  return {
    index: typeof index === 'number' ? index : undefined,
    id: nameIn(field(part, 'id')),
    name: nameIn(field(partial, 'name')),
    args: typeof args === 'object' && args !== null ? JSON.stringify(args) : nameIn(args),
  };
}
