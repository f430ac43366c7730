// Item 7: queries that walk from parents to children and back, in whatever form the schema has them.
import type { Arms, Attack } from '../attack.ts';
import { insertRows } from './rows.ts';

const PARENT = 'family-1';
const CHILDREN = 1_000;

const FIELD = `{ __type(name: "Execution") { fields { name args { name } } } }`;

/** Whether `children` is a connection; else it is a list. */
let isConnection = false;

async function prepare(arms: Arms): Promise<void> {
  await insertRows(arms, { prefix: 'family', count: 1 });
  await insertRows(arms, { prefix: 'child', count: CHILDREN, parentId: PARENT });
  const { text } = await arms.attacker.graphql(FIELD);
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

/** A document that goes down and up so many times. */
function tree(turns: number, first: number): string {
  let selection = 'id';
  for (let turn = 0; turn < turns; turn += 1) selection = children(first, `parent{${selection}}`);
  return `{execution(kind:AGENT,id:"${PARENT}"){${selection}}}`;
}

/** From the cheapest to the dearest; what a limit refuses costs nothing. */
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
    title: 'children { parent { children … of 1,000 children',
    prepare,
    run: (arms) => {
      let turn = 0;
      const all = documents();
      return arms.lanes(8, () => {
        turn += 1;
        return arms.attacker.graphql(all[turn % all.length]!);
      });
    },
  },
  {
    id: '7b',
    title: 'the same, by clients that leave after 100 ms',
    prepare,
    run: (arms) => {
      let turn = 0;
      const all = documents();
      return arms.lanes(8, () => {
        turn += 1;
        return arms.attacker.graphql(all[turn % all.length]!, {}, { timeoutMs: 100 });
      });
    },
  },
];
