// What requests to Temporal are for.

/**
 * The purposes of requests; the first ones are sent first.
 * - `end`: the end of a workflow
 * - `view`: the first response to a viewer
 * - `watch`: the history of a workflow that has viewers
 * - `poll`: news of such a workflow
 * - `retry`: the same, after a query that failed
 * - `sweep`: workflows without viewers
 */
export const PRIORITIES = ['end', 'view', 'watch', 'poll', 'retry', 'sweep'] as const;
export type RequestPriority = (typeof PRIORITIES)[number];
