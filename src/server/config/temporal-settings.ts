// Settings of the connection to Temporal, under the names that Temporal's own tools use.
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf } from '../../event/error-message.ts';
import type { TemporalSettings } from '../../temporal/source/temporal-client.ts';
import { type Environment, invalid, optionalText, readSettings } from './env.ts';

export const TEMPORAL_SETTINGS = {
  address: optionalText('TEMPORAL_ADDRESS', {
    unset: 'none',
    doc: 'Temporal, whose workflows the server watches.',
  }),
  tenant: optionalText('TEMPORAL_TENANT', {
    unset: 'none',
    doc: 'The tenant that owns its workflows; without it, callers with a tenant get 404 for them.',
  }),
  namespace: optionalText('TEMPORAL_NAMESPACE', { unset: '`default`', doc: 'The namespace.' }),
  apiKey: optionalText('TEMPORAL_API_KEY', { unset: 'none', doc: 'The API key.' }),
  configFile: optionalText('TEMPORAL_CONFIG_FILE', {
    unset: 'none',
    doc: "A configuration file of Temporal's tools, which is read only if this or `TEMPORAL_PROFILE` is set.",
  }),
  profile: optionalText('TEMPORAL_PROFILE', {
    unset: 'none',
    doc: 'A profile of that file; without `TEMPORAL_CONFIG_FILE`, of the one in its usual place.',
  }),
};

/**
 * Reads the connection to Temporal. `TEMPORAL_TLS…` and what a profile contains are parsed by Temporal's library.
 * @returns undefined without an address
 */
export function readTemporal(env: Environment): TemporalSettings | undefined {
  const { address, configFile, profile } = readSettings(TEMPORAL_SETTINGS, env);
  if (!address) return undefined;
  const variables = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  // The library would also read a file in the home directory.
  const disableFile = !configFile && !profile;
  try {
    const loaded = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(variables), disableFile });
    const { tls, apiKey, metadata } = loaded.connectionOptions;
    return {
      address,
      namespace: loaded.namespace || 'default',
      ...(tls && { tls }),
      ...(typeof apiKey === 'string' && { apiKey }),
      ...(metadata && Object.keys(metadata).length > 0 && { metadata: metadata as Record<string, string> }),
    };
  } catch (error) {
    throw invalid(
      TEMPORAL_SETTINGS.address.name,
      `invalid configuration of Temporal's client: ${messageOf(error)}`,
    );
  }
}
