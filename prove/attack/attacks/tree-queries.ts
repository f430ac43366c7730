// Group 7: queries that alternate between parents and children, in the form that the schema supports.
import type { Attack, AttackContext } from '../attack.ts';
import { insertRows } from './rows.ts';

const PARENT = 'family-1';
const CHILDREN = 1_000;

const FIELD = `{ __type(name: "Execution") { fields { name args { name } } } }`;

/** Whether `children` is a connection; otherwise it is a list. */
let isConnection = false;

async function prepare(context: AttackContext): Promise<void> {
  await insertRows(context, { prefix: 'family', count: 1 });
  await insertRows(context, { prefix: 'child', count: CHILDREN, parentId: PARENT });
  const { text } = await context.attacker.graphql(FIELD);
  const { fields } = (JSON.parse(text) as Introspected).data.__type;
  isConnection = fields.find(({ name }) => name === 'children')!.args.length > 0;
}

interface Introspected {
  readonly data: {
    readonly __type: {
      readonly fields: readonly { readonly name: string; readonly args: readonly unknown[] }[];
    };
  };
}

function children(first: number, selection: string): string {
  return isConnection ? `children(first:${first}){edges{node{${selection}}}}` : `children{${selection}}`;
}

/** A document that descends and ascends `turns` times. */
function tree(turns: number, first: number): string {
  let selection = 'id';
  for (let turn = 0; turn < turns; turn += 1) selection = children(first, `parent{${selection}}`);
  return `{execution(kind:AGENT,id:"${PARENT}"){${selection}}}`;
}

/** From the cheapest to the most expensive; documents over a limit cost nothing. */
const documents = (): string[] => [
  tree(1, 100),
  tree(2, 100),
  tree(2, 10),
  tree(3, 10),
  tree(3, 4),
  tree(5, 2),
  `{executions(first:100){edges{node{${children(100, 'id name status')}}}}}`,
  `{executions(first:100){edges{node{parent{${children(10, 'parent{id}')}}}}}}`,
  `{${Array.from({ length: 20 }, (_, i) => `a${i}:execution(kind:AGENT,id:"${PARENT}"){${children(100, 'id parent{id}')}}`).join(' ')}}`,
];

export const TREE_QUERIES: readonly Attack[] = [
  {
    id: '7a',
    title: 'nested children { parent { children … } } over 1,000 children',
    prepare,
    run: (context) => {
      let turn = 0;
      const all = documents();
      return context.lanes(8, () => {
        turn += 1;
        return context.attacker.graphql(all[turn % all.length]!);
      });
    },
  },
  {
    id: '7b',
    title: 'the same queries, by clients that leave after 100 ms',
    prepare,
    run: (context) => {
      let turn = 0;
      const all = documents();
      return context.lanes(8, () => {
        turn += 1;
        return context.attacker.graphql(all[turn % all.length]!, {}, { timeoutMs: 100 });
      });
    },
  },
];
