// Publishing over HTTP, for workers in any language (protocol, "Publishing over HTTP").
import { type AuthorizePublish, publishTenant } from '../../execution/permission.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import { createRedactor } from '../../publish/redact/redaction.ts';
import { createAcknowledged } from './acknowledged.ts';
import { type AppendOptions, createAppend } from './append.ts';
import { createBegin } from './begin.ts';

export interface PublishingOptions {
  readonly log: AppendOptions['log'];
  readonly store: ExecutionStore;
  /** Who may publish what; by default every caller their tenant's. */
  readonly authorizePublish?: AuthorizePublish | undefined;
}

/** Makes the two handlers. They throw ExecstreamErrors, and Refusals that carry their response. */
export function createPublishing({ log, store, authorizePublish = publishTenant }: PublishingOptions) {
  const acknowledged = createAcknowledged();
  const shared = { log, store, authorizePublish, redactor: createRedactor() };
  return {
    begin: createBegin({ ...shared, onAcknowledged: acknowledged.note }),
    append: createAppend({ ...shared, acknowledged }),
  };
}
