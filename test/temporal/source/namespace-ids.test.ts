// The execution ids of workflows in several namespaces.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNamespaceIds } from '../../../src/temporal/source/namespace-ids.ts';

const { format, parse } = createNamespaceIds('default', ['billing', 'billing.a1b2c']);

test.each([
  ['default', 'order-17', 'order-17'],
  ['default', 'order:17', 'order:17'],
  ['default', ':17', ':17'],
  ['billing', 'order-17', 'billing:order-17'],
  ['billing.a1b2c', 'order-17', 'billing.a1b2c:order-17'],
  // Ids that could be mistaken for those of other namespaces.
  ['default', 'billing:order-17', 'default:billing:order-17'],
  ['default', 'default:order-17', 'default:default:order-17'],
  ['billing', 'default:order-17', 'billing:default:order-17'],
  ['billing', 'billing:order-17', 'billing:billing:order-17'],
])('in %s, the workflow %s is the execution %s', (namespace, workflowId, executionId) => {
  expect(format(namespace, workflowId)).toBe(executionId);
  expect(parse(executionId)).toEqual({ namespace, workflowId });
});

test.each(['default:order-17', 'billing:', 'default:', `billing:${'x'.repeat(1_000)}`])(
  '%s names no workflow',
  (executionId) => {
    expect(parse(executionId)).toBeUndefined();
  },
);

test('a workflow that is not watched, or whose id has no room for its namespace, has no execution', () => {
  expect(format('elsewhere', 'order-17')).toBeUndefined();
  expect(format('billing', 'x'.repeat(992))).toBe(`billing:${'x'.repeat(992)}`);
  expect(format('billing', 'x'.repeat(993))).toBeUndefined();
  expect(format('default', '~execstream/x')).toBeUndefined();
  expect(format('billing', '~execstream/x')).toBe('billing:~execstream/x');
});

test('with one namespace, every id is that of the workflow', () => {
  for (const ids of [createNamespaceIds('default', []), createNamespaceIds('default', ['default'])]) {
    for (const id of ['order-17', 'billing:x', 'default:x', ':', 'x'.repeat(1_000)]) {
      expect(ids.format('default', id)).toBe(id);
      expect(ids.parse(id)).toEqual({ namespace: 'default', workflowId: id });
    }
    expect(ids.format('billing', 'x')).toBeUndefined();
  }
});

test('each workflow has one id, and each id names one workflow', () => {
  const text = fc
    .array(fc.constantFrom('default', 'billing', 'billing.a1b2c', ':', 'x', '.'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.join(''));
  const namespace = fc.constantFrom('default', 'billing', 'billing.a1b2c');
  fc.assert(
    fc.property(namespace, text, (name, workflowId) => {
      expect(parse(format(name, workflowId)!)).toEqual({ namespace: name, workflowId });
    }),
  );
  fc.assert(
    fc.property(text, (id) => {
      const workflow = parse(id);
      if (workflow) expect(format(workflow.namespace, workflow.workflowId)).toBe(id);
    }),
  );
});
