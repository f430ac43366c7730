// Creates viewers, and counts their connections, rejections and renewals.

import type { ViewerPlan } from '../plan.ts';
import type { Watched } from '../scheduler.ts';
import { accessByJwt, accessByStreamToken } from './access.ts';
import { type Browser, createBrowserViewer } from './browser.ts';
import { createIntruder, type Intruder } from './intruder.ts';
import { createPauses, type Pauses } from './pauses.ts';
import { createViewer, type Viewer, type ViewerCounts } from './viewer.ts';

export interface Audience {
  view(watched: Watched, plan: ViewerPlan): Viewer;
  startIntruder(watched: Watched): Intruder;
}

export interface AudienceOptions {
  /** The balancer's URL. */
  readonly url: string;
  readonly sharedKey: string;
  readonly signal: AbortSignal;
  /** Absent without Chromium, or if none was requested: plain clients replace its viewers. */
  readonly browser?: Browser | undefined;
  readonly counts: ViewerCounts;
  readonly pauses: Pauses;
}

/** Shorter than an execution, so that a viewer that reconnects late has to renew its JWT. */
const JWT_SECONDS = 10;

export function createAudience(options: AudienceOptions): Audience {
  const { url, sharedKey, signal, browser, counts } = options;
  return {
    startIntruder: ({ id, kind }) => createIntruder({ url, id, kind }, sharedKey),
    view({ id, kind, mode }, plan) {
      // While a workflow emits nothing, its children do: its pauses do not count.
      const pauses = kind === 'workflow' ? createPauses() : options.pauses;
      const target = { url, id, kind };
      const accessOptions = { url, sharedKey, sub: plan.name, jwtSeconds: JWT_SECONDS };
      const tab = plan.transport === 'browser' && browser?.claim() ? browser : undefined;
      const byToken = tab !== undefined || plan.transport.endsWith('-token');
      const access = byToken ? accessByStreamToken(accessOptions, id) : accessByJwt(accessOptions);
      const viewer = { plan, target, mode, access, pauses, counts, signal };
      return tab ? createBrowserViewer(viewer, tab) : createViewer(viewer);
    },
  };
}
