// Names from the history of a workflow that does not use execstream, as its stream shows them.
import { truncate } from '../../event/text.ts';

/** UTF-16 code units of a name: users choose the names of activities, signals and timers. */
const MAX_NAME_UNITS = 200;

/** `<type>#<activity id>`: the id distinguishes activities of one type within a run. */
export function taskIdOf(type: string | null | undefined, activityId: string | null | undefined): string {
  return displayName(`${type ?? 'activity'}#${activityId ?? ''}`);
}

export function displayName(name: string): string {
  return truncate(name, MAX_NAME_UNITS);
}
