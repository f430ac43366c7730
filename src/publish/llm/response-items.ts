// The output items of OpenAI's Responses API that are tool calls or their outputs: their ids, names, arguments, and who
// runs them.
import { field } from './fields.ts';
import { denialOf, parseArguments, type ReportedCall, type ToolOutcome } from './tool-calls.ts';

/** A call, and how it ends. */
export interface ItemCall extends ReportedCall {
  /** The outcome, once the call is done; undefined if it is not part of the item. */
  readonly outcome: ToolOutcome | undefined;
}

/** The arguments of each type of call. */
const ARGUMENTS: { readonly [type: string]: (item: unknown) => unknown } = {
  function_call: (item) => jsonOf(field(item, 'arguments')),
  mcp_call: (item) => jsonOf(field(item, 'arguments')),
  mcp_approval_request: (item) => jsonOf(field(item, 'arguments')),
  tool_search_call: (item) => jsonOf(field(item, 'arguments')),
  // Free text, even if it looks like JSON.
  custom_tool_call: (item) => field(item, 'input'),
  apply_patch_call: (item) => field(item, 'operation'),
  file_search_call: (item) => pick(item, 'queries'),
  code_interpreter_call: (item) => pick(item, 'code'),
  program: (item) => pick(item, 'code'),
  image_generation_call: (item) => pick(item, 'revised_prompt', 'action'),
  mcp_list_tools: (item) => pick(item, 'server_label'),
};

/** Where each type of call has its result, if not in `output`. */
const RESULTS: { readonly [type: string]: string } = {
  file_search_call: 'results',
  code_interpreter_call: 'outputs',
  image_generation_call: 'result',
  program_output: 'result',
  tool_search_output: 'tools',
};

/** Calls whose items do not have their outcomes. An MCP call that needs approval has a second item after its approval. */
const LATER: readonly string[] = [
  'function_call',
  'custom_tool_call',
  'apply_patch_call',
  'mcp_approval_request',
  'program',
];

/** A tool call; undefined for any other item. */
export function callOf(item: unknown): ItemCall | undefined {
  const type = typeOf(item);
  // The model does not call for the list of an MCP server's tools. Only its failure matters.
  const isCall = type.endsWith('_call') || type === 'mcp_approval_request' || type === 'program';
  if (!isCall && !(type === 'mcp_list_tools' && field(item, 'error'))) return undefined;
  const argumentsOf = ARGUMENTS[type] ?? ((of: unknown) => field(of, 'action') ?? field(of, 'actions'));
  return {
    // An approved call has the id of its approval request.
    id: field(item, 'approval_request_id') ?? field(item, 'call_id') ?? field(item, 'id'),
    name: field(item, 'name') ?? type.replace(/_call$/, ''),
    args: argumentsOf(item) ?? undefined,
    outcome: endsLater(item) ? undefined : outcomeOf(item),
  };
}

/** The output of a call as a separate item, or the denial of its approval; undefined for other items. */
export function outputOf(item: unknown): ItemCall | undefined {
  const type = typeOf(item);
  if (type === 'mcp_approval_response' && field(item, 'approve') === false) {
    const outcome = { error: denialOf(field(item, 'reason')) };
    return { id: field(item, 'approval_request_id'), name: undefined, outcome };
  }
  if (!type.endsWith('_output')) return undefined;
  return {
    id: field(item, 'call_id') ?? (type === 'local_shell_call_output' ? field(item, 'id') : undefined),
    name: field(item, 'name') ?? type.replace(/(_call)?_output$/, ''),
    outcome: outcomeOf(item),
  };
}

/** Whether the end of a call is not in its item: the caller runs it, or its output is a separate item. */
function endsLater(item: unknown): boolean {
  const type = typeOf(item);
  if (type === 'tool_search_call') return field(item, 'execution') === 'client';
  return LATER.includes(type) || (!(type in ARGUMENTS) && field(item, 'call_id') !== undefined);
}

function outcomeOf(item: unknown): ToolOutcome {
  const status = field(item, 'status');
  const hasFailed = status === 'failed' || status === 'incomplete';
  const result = field(item, RESULTS[typeOf(item)] ?? 'output');
  const error = field(item, 'error') ?? (hasFailed ? (result ?? status) : undefined);
  return error ? { error } : { result: result ?? undefined };
}

function typeOf(item: unknown): string {
  const type = field(item, 'type');
  return typeof type === 'string' ? type : '';
}

function jsonOf(args: unknown): unknown {
  return typeof args === 'string' ? parseArguments(args) : args;
}

/** An object with the fields of an item that have a value; undefined if none has. */
function pick(item: unknown, ...names: string[]): unknown {
  const fields = names.map((name) => [name, field(item, name)] as const);
  const present = fields.filter(([, value]) => value !== undefined && value !== null);
  return present.length > 0 ? Object.fromEntries(present) : undefined;
}
