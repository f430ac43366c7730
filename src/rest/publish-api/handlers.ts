// Publishing over HTTP, for workers in any language (PROTOCOL.md, "Publishing over HTTP").
import { type AuthorizePublish, publishTenant } from '../../execution/permission.ts';
import { createRedactor } from '../../redact/redaction.ts';
import { type AppendOptions, createAppend } from './append.ts';
import { type BeginOptions, createBegin } from './begin.ts';
import { createAcknowledged } from './publisher-heads.ts';

export interface PublishingOptions
  extends Pick<AppendOptions, 'log' | 'quotas' | 'onError'>,
    Pick<BeginOptions, 'store' | 'authorize' | 'findWorkflow'> {
  /** Who may publish what; by default every caller their tenant's. */
  readonly authorizePublish?: AuthorizePublish | undefined;
}

/** Makes the two handlers. They throw ExecstreamErrors, and Refusals that carry their response. */
export function createPublishing({ authorizePublish = publishTenant, ...options }: PublishingOptions) {
  const acknowledged = createAcknowledged();
  const shared = { ...options, authorizePublish, redactor: createRedactor() };
  return {
    begin: createBegin({ ...shared, onAcknowledged: acknowledged.note }),
    append: createAppend({ ...shared, acknowledged }),
  };
}
