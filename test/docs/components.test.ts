// The Vue and Svelte components of docs/react.md are accepted by the compilers of these frameworks.
import { compile } from 'svelte/compiler';
import { expect, test } from 'vitest';
import { compileScript, compileTemplate, parse } from 'vue/compiler-sfc';
import { blocksOf } from './blocks.ts';

const componentsOf = (name: string) => {
  const found = blocksOf('docs/react.md').filter(({ language }) => language === name);
  expect(found.length).toBeGreaterThan(0);
  return found.map(({ text }) => text);
};

test('the Vue components compile', () => {
  for (const source of componentsOf('vue')) {
    const { descriptor, errors } = parse(source);
    const { bindings } = compileScript(descriptor, { id: 'a' });
    const options = { filename: 'a.vue', id: 'a', compilerOptions: { bindingMetadata: bindings! } };
    const template = compileTemplate({ ...options, source: descriptor.template!.content });
    expect([...errors, ...template.errors, ...template.tips]).toEqual([]);
    // A name that the script does not define.
    expect(template.code).not.toMatch(/_ctx\.\w/);
  }
});

test('the Svelte components compile', () => {
  for (const source of componentsOf('svelte')) {
    expect(compile(source, { generate: 'client' }).warnings).toEqual([]);
  }
});
