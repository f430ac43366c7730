// The types of parts, events, items and blocks that the adapters know.

export interface Known {
  /** Types that are published, or affect the end of the run. */
  readonly handled: readonly string[];
  readonly ignored: readonly string[];
}

export const AI_SDK: Known = {
  handled: [
    ...[
      'text-delta',
      'tool-call',
      'tool-result',
      'tool-error',
      'tool-output-denied',
      'tool-approval-response',
    ],
    ...['finish-step', 'finish', 'error', 'abort'],
  ],
  ignored: [
    ...['start', 'start-step', 'text-start', 'text-end', 'ping', 'raw', 'custom', 'steering-message'],
    ...['reasoning-start', 'reasoning-delta', 'reasoning-end', 'reasoning-file', 'source', 'file'],
    ...['tool-input-start', 'tool-input-delta', 'tool-input-end', 'tool-approval-request'],
  ],
};

export const RESPONSES: Known = {
  handled: [
    ...['response.output_text.delta', 'response.refusal.delta', 'response.output_item.added'],
    ...['response.output_item.done', 'response.completed', 'response.incomplete', 'response.failed', 'error'],
  ],
  /** Progress, and pieces of what `response.output_item.done` has completely. */
  ignored: [
    ...[
      'created',
      'in_progress',
      'queued',
      'compaction.compacting',
      'content_part.added',
      'content_part.done',
    ],
    ...['output_text.done', 'output_text.annotation.added', 'refusal.done', 'audio.delta', 'audio.done'],
    ...['audio.transcript.delta', 'audio.transcript.done', 'reasoning_text.delta', 'reasoning_text.done'],
    ...['reasoning_summary_part.added', 'reasoning_summary_part.done', 'reasoning_summary_text.delta'],
    ...['reasoning_summary_text.done', 'function_call_arguments.delta', 'function_call_arguments.done'],
    ...['custom_tool_call_input.delta', 'custom_tool_call_input.done', 'shell_call_command.added'],
    ...['shell_call_command.delta', 'shell_call_command.done', 'shell_call_output_content.delta'],
    ...[
      'shell_call_output_content.done',
      'code_interpreter_call_code.delta',
      'code_interpreter_call_code.done',
    ],
    ...[
      'code_interpreter_call.in_progress',
      'code_interpreter_call.interpreting',
      'code_interpreter_call.completed',
    ],
    ...['file_search_call.in_progress', 'file_search_call.searching', 'file_search_call.completed'],
    ...['web_search_call.in_progress', 'web_search_call.searching', 'web_search_call.completed'],
    ...['image_generation_call.in_progress', 'image_generation_call.generating'],
    ...['image_generation_call.partial_image', 'image_generation_call.completed', 'mcp_call.in_progress'],
    ...['mcp_call.completed', 'mcp_call.failed', 'mcp_call_arguments.delta', 'mcp_call_arguments.done'],
    ...['mcp_list_tools.in_progress', 'mcp_list_tools.completed', 'mcp_list_tools.failed'],
  ].map((name) => `response.${name}`),
};

export const ITEMS: Known = {
  handled: [
    ...[
      'function_call',
      'custom_tool_call',
      'local_shell_call',
      'shell_call',
      'apply_patch_call',
      'computer_call',
    ],
    ...['tool_search_call', 'web_search_call', 'file_search_call', 'code_interpreter_call', 'program'],
    ...[
      'image_generation_call',
      'mcp_call',
      'mcp_approval_request',
      'mcp_approval_response',
      'mcp_list_tools',
    ],
    ...['function_call_output', 'custom_tool_call_output', 'local_shell_call_output', 'shell_call_output'],
    ...['apply_patch_call_output', 'computer_call_output', 'tool_search_output', 'program_output'],
  ],
  /** Messages are published by their deltas. */
  ignored: ['message', 'reasoning', 'compaction', 'additional_tools'],
};

export const MESSAGES: Known = {
  handled: [
    ...['message_start', 'message_delta', 'message_stop'],
    ...['content_block_start', 'content_block_delta', 'content_block_stop'],
  ],
  ignored: [],
};

export const BLOCKS: Known = {
  handled: [
    ...['text', 'tool_use', 'server_tool_use', 'mcp_tool_use', 'mcp_tool_result', 'web_search_tool_result'],
    ...[
      'web_fetch_tool_result',
      'advisor_tool_result',
      'code_execution_tool_result',
      'tool_search_tool_result',
    ],
    ...['bash_code_execution_tool_result', 'text_editor_code_execution_tool_result', 'fallback'],
  ],
  ignored: ['thinking', 'redacted_thinking', 'container_upload', 'compaction', 'mcp_tool_listing'],
};

export const DELTAS: Known = {
  handled: ['text_delta', 'input_json_delta'],
  ignored: ['thinking_delta', 'signature_delta', 'citations_delta', 'compaction_delta'],
};
