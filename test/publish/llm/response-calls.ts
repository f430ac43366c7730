// Tool calls in OpenAI's responses, and what viewers see of them.

/** An output item. */
export interface Item {
  readonly id: string;
  readonly type: string;
  readonly [name: string]: unknown;
}

const exec = { type: 'exec', command: ['ls', '-l'], env: {} };
const click = { type: 'click', x: 1, y: 2, button: 'left' };
const patch = { type: 'delete_file', path: 'a.txt' };

/** Calls that the client runs: they start with `call_id` and do not end in the stream. */
export const CLIENT_CALLS: [Item, object][] = [
  [
    { id: 'fc', type: 'function_call', call_id: 'c', name: 'weather', arguments: '{"city":"Oslo"}' },
    { toolName: 'weather', args: { city: 'Oslo' } },
  ],
  [
    { id: 'ct', type: 'custom_tool_call', call_id: 'c', name: 'code', input: '{"looks":"like JSON"}' },
    { toolName: 'code', args: '{"looks":"like JSON"}' },
  ],
  [
    { id: 'ls', type: 'local_shell_call', call_id: 'c', action: exec, status: 'completed' },
    { toolName: 'local_shell', args: exec },
  ],
  [
    { id: 'sh', type: 'shell_call', call_id: 'c', action: { commands: ['ls'] }, environment: null },
    { toolName: 'shell', args: { commands: ['ls'] } },
  ],
  [
    { id: 'ap', type: 'apply_patch_call', call_id: 'c', operation: patch, status: 'completed' },
    { toolName: 'apply_patch', args: patch },
  ],
  [
    { id: 'cu', type: 'computer_call', call_id: 'c', action: click, pending_safety_checks: [] },
    { toolName: 'computer', args: click },
  ],
  [
    { id: 'cu', type: 'computer_call', call_id: 'c', actions: [click], pending_safety_checks: [] },
    { toolName: 'computer', args: [click] },
  ],
  [
    { id: 'ts', type: 'tool_search_call', call_id: 'c', execution: 'client', arguments: { query: 'x' } },
    { toolName: 'tool_search', args: { query: 'x' } },
  ],
  [
    { id: 'c', type: 'mcp_approval_request', server_label: 's', name: 'roll', arguments: '{"sides":6}' },
    { toolName: 'roll', args: { sides: 6 } },
  ],
  // A type that a later version may have.
  [
    { id: 'x', type: 'robot_call', call_id: 'c', action: { move: 1 } },
    { toolName: 'robot', args: { move: 1 } },
  ],
];

/** Calls that OpenAI runs: what they were called with, and their outcome. */
export const HOSTED_CALLS: [Item, object][] = [
  [
    { id: 'h', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'tides' } },
    { name: 'web_search', args: { type: 'search', query: 'tides' }, status: 'succeeded' },
  ],
  [
    { id: 'h', type: 'web_search_call', status: 'failed', action: { type: 'search', query: 'tides' } },
    { name: 'web_search', args: { type: 'search', query: 'tides' }, status: 'failed', error: 'failed' },
  ],
  [
    {
      id: 'h',
      type: 'file_search_call',
      status: 'completed',
      queries: ['tides'],
      results: [{ text: 'high' }],
    },
    {
      name: 'file_search',
      args: { queries: ['tides'] },
      status: 'succeeded',
      result: [{ text: 'high' }],
    },
  ],
  [
    {
      id: 'h',
      type: 'code_interpreter_call',
      status: 'completed',
      code: '1+1',
      outputs: [{ type: 'logs', logs: '2' }],
    },
    {
      name: 'code_interpreter',
      args: { code: '1+1' },
      status: 'succeeded',
      result: [{ type: 'logs', logs: '2' }],
    },
  ],
  [
    { id: 'h', type: 'image_generation_call', status: 'completed', revised_prompt: 'a cat', result: 'aGk=' },
    { name: 'image_generation', args: { revised_prompt: 'a cat' }, status: 'succeeded', result: 'aGk=' },
  ],
  [
    { id: 'h', type: 'image_generation_call', status: 'failed', result: null, error: { message: 'blocked' } },
    { name: 'image_generation', status: 'failed', error: 'blocked' },
  ],
  [
    { id: 'h', type: 'mcp_call', name: 'roll', arguments: '{"sides":6}', output: '4', error: null },
    { name: 'roll', args: { sides: 6 }, status: 'succeeded', result: '4' },
  ],
  ...[
    'no dice',
    { type: 'mcp_protocol_error', code: -32_602, message: 'no dice' },
    { type: 'http_error', code: 500, message: 'no dice' },
    { type: 'mcp_tool_execution_error', content: [{ type: 'text', text: 'no dice' }] },
  ].map((error): [Item, object] => [
    {
      id: 'h',
      type: 'mcp_call',
      name: 'roll',
      arguments: '{"sides":6}',
      output: null,
      error,
      status: 'failed',
    },
    { name: 'roll', args: { sides: 6 }, status: 'failed', error: 'no dice' },
  ]),
  [
    { id: 'h', type: 'mcp_list_tools', server_label: 's', tools: [], error: 'unreachable' },
    { name: 'mcp_list_tools', args: { server_label: 's' }, status: 'failed', error: 'unreachable' },
  ],
  [
    { id: 'h', type: 'tool_search_call', execution: 'server', call_id: null, arguments: { query: 'x' } },
    { name: 'tool_search', args: { query: 'x' }, status: 'succeeded' },
  ],
];

/** Calls whose outputs are items. */
export const SEPARATE_OUTPUTS: [string, object, object, object][] = [
  [
    'shell',
    {
      id: 'sh',
      type: 'shell_call',
      action: { commands: ['ls'] },
      environment: { type: 'container_reference' },
    },
    { id: 'so', type: 'shell_call_output', status: 'completed', output: [{ stdout: 'a.txt' }] },
    { status: 'succeeded', result: [{ stdout: 'a.txt' }] },
  ],
  [
    'apply_patch',
    { id: 'ap', type: 'apply_patch_call', operation: patch },
    { id: 'ao', type: 'apply_patch_call_output', status: 'failed', output: 'no such file' },
    { status: 'failed', error: 'no such file' },
  ],
  [
    'roll',
    { id: 'c', type: 'mcp_approval_request', name: 'roll', arguments: '{}' },
    { id: 'm', type: 'mcp_approval_response', approval_request_id: 'c', approve: false, reason: 'too risky' },
    { status: 'failed', error: 'not approved: too risky' },
  ],
  [
    'roll',
    { id: 'c', type: 'mcp_approval_request', name: 'roll', arguments: '{}' },
    { id: 'm', type: 'mcp_approval_response', approval_request_id: 'c', approve: false },
    { status: 'failed', error: 'not approved' },
  ],
  [
    'program',
    { id: 'p', type: 'program', code: 'roll()' },
    { id: 'po', type: 'program_output', status: 'completed', result: '4' },
    { status: 'succeeded', result: '4' },
  ],
];
