// The callers and executions of the permission table, and the expected response to each: written independently of the
// server, from what PROTOCOL.md and docs/authentication.md specify.
import type { Authorize } from '../../src/execution/permission.ts';
import { allowTenant } from '../../src/index.ts';

export interface TableCaller {
  readonly name: string;
  /** How the caller authenticates. */
  readonly by: 'none' | 'wrong' | 'jwt' | 'access_token' | 'cookie';
  readonly tenant?: string;
  readonly scope: 'read' | 'publish' | 'read publish' | 'openid';
  readonly executions?: readonly string[];
  readonly role?: 'auditor';
}

export interface TableExecution {
  readonly id: string;
  readonly tenant?: string;
  /** Only auditors may read it; other callers of the tenant may know that it exists. */
  readonly isVault?: true;
  readonly isAbsent?: true;
}

export type Outcome = 'granted' | 'denied' | 'hidden' | 'unauthenticated';

export const EXECUTIONS: readonly TableExecution[] = [
  { id: 'acme-run', tenant: 'acme' },
  { id: 'acme-vault', tenant: 'acme', isVault: true },
  { id: 'globex-run', tenant: 'globex' },
  { id: 'globex-vault', tenant: 'globex', isVault: true },
  { id: 'open-run' },
  { id: 'absent', isAbsent: true },
];

export const CALLERS: readonly TableCaller[] = [
  { name: 'nobody', by: 'none', scope: 'openid' },
  { name: 'a forger', by: 'wrong', tenant: 'acme', scope: 'read publish' },
  { name: 'acme reads', by: 'jwt', tenant: 'acme', scope: 'read' },
  { name: 'acme publishes', by: 'jwt', tenant: 'acme', scope: 'publish' },
  { name: 'acme does both', by: 'jwt', tenant: 'acme', scope: 'read publish' },
  { name: 'acme without a scope', by: 'jwt', tenant: 'acme', scope: 'openid' },
  { name: 'acme audits', by: 'jwt', tenant: 'acme', scope: 'read', role: 'auditor' },
  { name: 'globex does both', by: 'jwt', tenant: 'globex', scope: 'read publish' },
  { name: 'globex audits', by: 'jwt', tenant: 'globex', scope: 'read', role: 'auditor' },
  { name: 'no tenant, both', by: 'jwt', scope: 'read publish' },
  {
    name: 'acme, one execution',
    by: 'jwt',
    tenant: 'acme',
    scope: 'read publish',
    executions: ['acme-run'],
  },
  { name: 'acme, by prefix', by: 'jwt', tenant: 'acme', scope: 'read publish', executions: ['acme-*'] },
  { name: 'acme, of globex', by: 'jwt', tenant: 'acme', scope: 'read publish', executions: ['globex-run'] },
  { name: 'acme, none', by: 'jwt', tenant: 'acme', scope: 'read publish', executions: [] },
  {
    name: 'a stream token',
    by: 'access_token',
    tenant: 'acme',
    scope: 'read',
    executions: ['acme-run', 'open-run'],
  },
  { name: 'a cookie', by: 'cookie', tenant: 'acme', scope: 'read', executions: ['acme-run'] },
];

/** The policy of the table's server: only auditors may read a vault. */
export const policy: Authorize = async (caller, execution) => {
  const permission = await allowTenant(caller, execution);
  const isForbidden = execution.id.endsWith('-vault') && caller.claims?.role !== 'auditor';
  return permission.read === 'granted' && isForbidden ? { read: 'denied' } : permission;
};

const isNamed = ({ executions }: TableCaller, id: string) =>
  executions === undefined ||
  executions.includes(id) ||
  (executions.includes('acme-*') && id.startsWith('acme-'));

/** The response to an authenticated caller that reads. */
export function mayRead(caller: TableCaller, execution: TableExecution): Outcome {
  if (execution.isAbsent || !isNamed(caller, execution.id)) return 'hidden';
  if (execution.tenant !== undefined && execution.tenant !== caller.tenant) return 'hidden';
  if (execution.isVault && caller.role !== 'auditor') return 'denied';
  return caller.scope.includes('read') ? 'granted' : 'denied';
}

/** The response to an authenticated caller that appends. */
export function mayAppend(caller: TableCaller, execution: TableExecution): Outcome {
  if (!caller.scope.includes('publish')) return 'denied';
  if (execution.isAbsent || !isNamed(caller, execution.id)) return 'hidden';
  if (caller.tenant === undefined || caller.tenant === execution.tenant) return 'granted';
  return execution.tenant === undefined ? 'denied' : 'hidden';
}

/** The response to an authenticated caller that begins an existing execution. */
export function mayBegin(caller: TableCaller, execution: TableExecution): Outcome {
  if (!caller.scope.includes('publish')) return 'denied';
  if (!isNamed(caller, execution.id)) return 'hidden';
  // Ids are unique across tenants: a caller that begins one learns that it exists.
  return caller.tenant === undefined || caller.tenant === execution.tenant ? 'granted' : 'denied';
}
