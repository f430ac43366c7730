// Text that is generated from the settings: the tables of docs/ and the help of commands.
import { AUTH_SETTINGS } from './auth-settings.ts';
import { listSettings, type Setting } from './env.ts';
import { LIMIT_SETTINGS, STREAM_LIMIT_SETTINGS } from './limit-settings.ts';
import { SERVER_SETTINGS, STREAM_SETTINGS } from './server-settings.ts';
import { TEMPORAL_SETTINGS } from './temporal-settings.ts';

export interface Section {
  readonly title: string;
  readonly settings: readonly Setting<unknown>[];
}

/** All settings, by the name that marks their table in docs/. */
export const SECTIONS: { readonly [name: string]: Section } = {
  server: {
    title: 'Server',
    settings: listSettings({ server: SERVER_SETTINGS, streams: STREAM_SETTINGS }),
  },
  limits: {
    title: 'Limits',
    settings: listSettings({ limits: LIMIT_SETTINGS, streams: STREAM_LIMIT_SETTINGS }),
  },
  authentication: { title: 'Authentication', settings: listSettings(AUTH_SETTINGS) },
  temporal: { title: 'Temporal', settings: listSettings(TEMPORAL_SETTINGS) },
};

/** A section as a Markdown table. */
export function toMarkdown({ settings }: Section): string {
  const rows = settings.map(({ name, shownDefault, doc }) => `| \`${name}\` | ${shownDefault} | ${doc} |`);
  // The texts name documents from the root of the repository; the pages are in docs/.
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows]
    .join('\n')
    .replaceAll('](docs/', '](');
}

const TABLE = /(?<=<!-- settings: (\w+) -->\n)[\s\S]*?(?=\n<!-- end -->)/g;

/** A page with the tables between its markers replaced: `<!-- settings: limits -->` … `<!-- end -->`. */
export function withTables(page: string): string {
  return page.replace(TABLE, (_, name: string) => {
    const section = SECTIONS[name];
    if (!section) throw new Error(`no section of settings: ${name}`);
    return toMarkdown(section);
  });
}

const HELP_WIDTH = 100;
const INDENT = ' '.repeat(6);

/** All settings as plain text. */
export function toHelp(): string {
  const sections = Object.values(SECTIONS).map(
    ({ title, settings }) => `${title}:\n${settings.map(helpOf).join('\n')}`,
  );
  return `Environment variables\n\n${sections.join('\n\n')}`;
}

function helpOf({ name, shownDefault, doc }: Setting<unknown>): string {
  return `  ${name} (default: ${plain(shownDefault)})\n${wrap(plain(doc))}`;
}

/** Markdown without links and code spans. */
export function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('`', '');
}

function wrap(text: string): string {
  const lines = [INDENT];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    const extended = line === INDENT ? INDENT + word : `${line} ${word}`;
    if (extended.length <= HELP_WIDTH || line === INDENT) lines[lines.length - 1] = extended;
    else lines.push(INDENT + word);
  }
  return lines.join('\n');
}
