// Numbers, durations and times for people.

/** `19 ms`, `10.2 s`, `3 min 12 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 event`, `1,234 events`. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** The local time of a timestamp, `14:03:59`. */
export function formatTime(timestamp: string): string {
  return new Date(timestamp).toTimeString().slice(0, 8);
}

/** The local date and time of a timestamp, `2026-11-28 14:03:59`. */
export function formatDateTime(timestamp: string): string {
  const date = new Date(timestamp);
  const day = [date.getMonth() + 1, date.getDate()].map((part) => `${part}`.padStart(2, '0'));
  return `${date.getFullYear()}-${day.join('-')} ${formatTime(timestamp)}`;
}

/** The local time of a timestamp of today, and the date of an older one. */
export function formatShortTime(timestamp: string, now = new Date()): string {
  const [day, time] = formatDateTime(timestamp).split(' ');
  return day === formatDateTime(now.toISOString()).split(' ')[0] ? time! : day!;
}
