// The execution ids of workflows in several namespaces.
//
// A workflow of the default namespace has its workflow id, one of another watched namespace `<namespace>:<workflow id>`. If
// the id of a workflow in the default namespace starts like that, it is `<default namespace>:<workflow id>`. So each
// workflow has one execution id, and each execution id names one workflow.
import { isExecutionId } from '../../event/execution-id.ts';

/** Between the namespace and the workflow id. No configured namespace contains it. */
export const NAMESPACE_SEPARATOR = ':';

/** The execution id of a workflow; undefined if it is not watched, or the id would be too long. */
export type ToExecutionId = (namespace: string, workflowId: string) => string | undefined;

export interface NamespaceIds {
  readonly format: ToExecutionId;
  /** The workflow that an execution id names; undefined if it names none. */
  parse(executionId: string): { readonly namespace: string; readonly workflowId: string } | undefined;
}

/** Ids of a single namespace, which are the workflow ids. */
export function idsWithin(watched: string): ToExecutionId {
  return (namespace, workflowId) =>
    namespace === watched && isExecutionId(workflowId) ? workflowId : undefined;
}

/** @param others the watched namespaces beside the default one */
export function createNamespaceIds(defaultNamespace: string, others: readonly string[]): NamespaceIds {
  const isSingle = others.every((namespace) => namespace === defaultNamespace);
  const watched = new Set(isSingle ? [] : [defaultNamespace, ...others]);

  /** The watched namespace at the start of a text. */
  function prefixOf(text: string): string | undefined {
    const end = text.indexOf(NAMESPACE_SEPARATOR);
    const prefix = text.slice(0, Math.max(0, end));
    return watched.has(prefix) ? prefix : undefined;
  }

  function format(namespace: string, workflowId: string): string | undefined {
    const isDefault = namespace === defaultNamespace;
    if (!isDefault && !watched.has(namespace)) return undefined;
    const isPlain = isDefault && prefixOf(workflowId) === undefined;
    const executionId = isPlain ? workflowId : `${namespace}${NAMESPACE_SEPARATOR}${workflowId}`;
    return workflowId !== '' && isExecutionId(executionId) ? executionId : undefined;
  }

  return {
    format,
    parse(executionId) {
      const prefix = prefixOf(executionId);
      const namespace = prefix ?? defaultNamespace;
      const workflowId =
        prefix === undefined ? executionId : executionId.slice(prefix.length + NAMESPACE_SEPARATOR.length);
      // A second id of the same workflow would be another execution.
      return format(namespace, workflowId) === executionId ? { namespace, workflowId } : undefined;
    },
  };
}
