// The package entry `execstream`: embed the server.
export type { Leases } from './coordination/lease.ts';
export type { LivenessReader, LivenessWriter } from './coordination/liveness.ts';
export { type Cursor, formatCursor, parseCursor } from './event/cursor.ts';
export { type ErrorCode, ExecstreamError, isExecstreamError } from './event/errors.ts';
export type * from './event/events.ts';
export {
  ANONYMOUS,
  type Authorize,
  type AuthorizePublish,
  allowTenant,
  type Caller,
  type Permission,
  type Publishable,
  publishTenant,
  type Scope,
} from './execution/permission.ts';
export { createPrismaStore, type PrismaStore, type PrismaStoreOptions } from './execution/prisma-store.ts';
export type * from './execution/store.ts';
export type * from './log/log.ts';
export { createMemoryLog } from './log/memory.ts';
export { createRedisLog, type RedisLogOptions } from './log/redis/redis-log.ts';
export { addExecstreamTypes, type EmbeddedTypesOptions } from './schema/embedded-types.ts';
export type { Authenticate, AuthenticationOptions } from './server/auth/authenticate.ts';
export type { JwtOptions } from './server/auth/jwt.ts';
export { type Config, readConfig } from './server/config/config.ts';
export { createParts, optionsFromConfig } from './server/config/from-config.ts';
export {
  type CloseOptions,
  createExecstream,
  type Execstream,
  type ExecstreamOptions,
} from './server/create-execstream.ts';
export type { Parts } from './server/create-services.ts';
export type { LimitOptions } from './server/limits.ts';
export type { NodeListener } from './server/node-listener.ts';
export { type ListenOptions, listen, type Server } from './server/node-server.ts';
export type { Sources } from './server/sources.ts';
export { describeParts, type PartDescription } from './server/startup-report.ts';
export { type UseExecstreamOptions, useExecstream } from './server/use-execstream.ts';
export { DEFAULT_STREAM_SETTINGS, type EventStreamSettings } from './sse/stream-settings.ts';
export type {
  ApplicationClient,
  TemporalAddress,
  TemporalConnection,
  TemporalSettings,
} from './temporal/source/connection-settings.ts';
