// How an activity of a workflow that knows nothing of us is named in its stream.

/** Code units of a name that is shown: activities, signals and timers are named by users. */
const MAX_NAME_UNITS = 200;

/** `<type>#<activity id>`: the id tells it from others of the type in its run. */
export function taskIdOf(type: string | null | undefined, activityId: string | null | undefined): string {
  return cutName(`${type ?? 'activity'}#${activityId ?? ''}`);
}

export function cutName(name: string): string {
  return name.length <= MAX_NAME_UNITS ? name : `${name.slice(0, MAX_NAME_UNITS)}…`;
}
