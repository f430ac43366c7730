// Makes viewers, and counts what all of them go through.

import type { ViewerPlan } from '../plan.ts';
import type { Watched } from '../scheduler.ts';
import { accessByJwt, accessByStreamToken } from './access.ts';
import { type Browser, createBrowserViewer } from './browser.ts';
import { createIntruder, type Intruder } from './intruder.ts';
import { createPauses, type Pauses } from './pauses.ts';
import { createViewer, type Viewer, type ViewerCounts } from './viewer.ts';

export interface Audience {
  view(watched: Watched, plan: ViewerPlan): Viewer;
  intrude(watched: Watched): Intruder;
}

export interface AudienceOptions {
  /** The balancer's. */
  readonly url: string;
  readonly sharedKey: string;
  readonly signal: AbortSignal;
  /** Absent where there is no Chromium, or none is wanted: plain clients take the place of its viewers. */
  readonly browser?: Browser | undefined;
  readonly counts: ViewerCounts;
  readonly pauses: Pauses;
}

/** Shorter than an execution, so that whoever comes back late has to renew it. */
const JWT_SECONDS = 10;

export function createAudience(options: AudienceOptions): Audience {
  const { url, sharedKey, signal, browser, counts } = options;
  return {
    intrude: ({ id, kind }) => createIntruder({ url, id, kind }, sharedKey),
    view({ id, kind, mode }, plan) {
      // What a workflow is silent about, its children say.
      const pauses = kind === 'workflow' ? createPauses() : options.pauses;
      const target = { url, id, kind };
      const own = { url, sharedKey, sub: plan.name, jwtSeconds: JWT_SECONDS };
      const tab = plan.transport === 'browser' && browser?.claim() ? browser : undefined;
      const byToken = tab !== undefined || plan.transport.endsWith('-token');
      const access = byToken ? accessByStreamToken(own, id) : accessByJwt(own);
      const viewer = { plan, target, mode, access, pauses, counts, signal };
      return tab ? createBrowserViewer(viewer, tab) : createViewer(viewer);
    },
  };
}
