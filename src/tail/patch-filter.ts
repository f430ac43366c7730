// Which patches a viewer can apply. A gap may hide patches, so that those after it are meant for a value that the viewer
// does not have: they are withheld until it has one again.
import type { ExecutionEvent } from '../event/events.ts';
import { setsWholeValue } from '../event/json-patch.ts';

/**
 * Whether patches are withheld from an event on, the event itself included.
 * @param isWithheld whether they were before it
 */
export function withholdsPatches(event: ExecutionEvent, isWithheld: boolean): boolean {
  switch (event.type) {
    case 'gap':
      return !('value' in event.data);
    case 'reset':
      return false;
    case 'structured_delta':
      return isWithheld && !setsWholeValue(event.data.patch);
    default:
      return isWithheld;
  }
}
