// Group 8: lists over large rows, and over rows that the caller may not see.
import type { Attack } from '../attack.ts';
import type { Caller } from '../caller.ts';
import { insertRows } from './rows.ts';

const MIB = 1024 * 1024;
const FIRST = 'executions(first:100)';

const large: Pick<Attack, 'prepare'> = {
  prepare: (context) => insertRows(context, { prefix: 'large', count: 100, resultChars: 4 * MIB }),
};

let limited: Caller;

export const LISTS: readonly Attack[] = [
  {
    id: '8a',
    title: 'lists of 100 rows with results of 4 MB that are not selected',
    ...large,
    run: (context) =>
      context.lanes(4, () => context.attacker.graphql(`{${FIRST}{edges{node{id name status}}}}`)),
  },
  {
    id: '8b',
    title: 'lists of one prefix among 20,000 hidden rows',
    async prepare(context) {
      await insertRows(context, { prefix: 'hidden', count: 20_000 });
      limited = context.caller({ sub: 'limited', scope: 'read', executions: ['mine-*'] });
    },
    run: (context) =>
      context.lanes(4, (n) =>
        limited.graphql(`{${FIRST}{edges{node{id}}}}`, {}, n % 2 ? { timeoutMs: 500 } : {}),
      ),
  },
  {
    id: '8c',
    title: 'lists of 100 rows with results of 4 MB that are selected',
    ...large,
    run: (context) => context.lanes(4, () => context.attacker.graphql(`{${FIRST}{edges{node{id result}}}}`)),
  },
];
