// Your own authentication and permissions: callers come from the sessions of the application.
import { createExecstream, createMemoryLog, ExecstreamError, type ExecutionStore } from '../../src/index.ts';

interface Session {
  readonly user: string;
  readonly team: string;
  readonly isAuditor: boolean;
}

/** Whatever the application has: a signed cookie, a table, a request to another service. */
export type FindSession = (cookie: string) => Promise<Session | undefined>;

/** Creates a server whose callers are the users of the application. */
export function createWithSessions(store: ExecutionStore, findSession: FindSession) {
  return createExecstream({
    log: createMemoryLog(),
    store,
    basePath: '/streams',
    async authenticate(request) {
      const [, cookie] = /(?:^|; )session=([^;]+)/.exec(request.headers.get('cookie') ?? '') ?? [];
      // No credentials: 401.
      if (cookie === undefined) return undefined;
      const session = await findSession(cookie);
      if (!session) throw new ExecstreamError('UNAUTHENTICATED', 'the session has expired: sign in again');
      const { user, team, isAuditor } = session;
      return { id: user, tenant: team, scopes: ['read'], claims: { isAuditor } };
    },
    authorize(caller, execution) {
      // Callers with different permissions never share a result.
      if (caller.claims?.isAuditor) return { read: 'granted', class: 'auditor' };
      const isOwn = execution.tenant === caller.tenant && execution.id.startsWith(`${caller.id}/`);
      return isOwn ? { read: 'granted' } : { read: 'hidden' };
    },
  });
}
