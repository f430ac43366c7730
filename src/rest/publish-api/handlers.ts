// Publishing over HTTP, for workers in any language (PROTOCOL.md, "Publishing over HTTP").

import { DEFAULT_SIZE_LIMITS, type SizeLimits } from '../../event/size-limits.ts';
import { type AuthorizePublish, publishTenant } from '../../execution/permission.ts';
import { createRedactor } from '../../redact/redaction.ts';
import { type AppendOptions, createAppend } from './append.ts';
import { type BeginOptions, createBegin } from './begin.ts';
import { createPublisherHeads } from './publisher-heads.ts';

export interface PublishingOptions
  extends Pick<AppendOptions, 'log' | 'quotas' | 'onError'>,
    Pick<BeginOptions, 'store' | 'authorize' | 'findWorkflow'> {
  /**
   * Who may publish what.
   * @default publishTenant: every caller may publish the executions of its tenant.
   */
  readonly authorizePublish?: AuthorizePublish | undefined;
  /**
   * Limits of the events.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits | undefined;
}

/** Creates the two handlers. They throw ExecstreamErrors, and RejectedRequests that contain a response. */
export function createPublishing({
  authorizePublish = publishTenant,
  sizes = DEFAULT_SIZE_LIMITS,
  ...options
}: PublishingOptions) {
  const publisherHeads = createPublisherHeads();
  const shared = { ...options, authorizePublish, sizes, redactor: createRedactor() };
  return {
    begin: createBegin({ ...shared, onAcknowledged: publisherHeads.set }),
    append: createAppend({ ...shared, publisherHeads }),
  };
}
