// Fields that identify something. They are never redacted, whatever they contain: a viewer could no longer find the
// execution, the tool call or the workflow that they name.

const IDENTIFIERS: ReadonlySet<string> = new Set([
  'executionId',
  'parentId',
  'workflowId',
  'workflowType',
  'runId',
  'agentId',
  'taskId',
  'toolCallId',
  'toolName',
]);

/** Whether a field of an event's data, or of a log line, is an identifier. */
export function isIdentifier(name: string): boolean {
  return IDENTIFIERS.has(name);
}
