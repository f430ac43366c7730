// Generates the types of the document in watch.ts.
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  // Or the URL of a server, such as http://localhost:4000/graphql.
  schema: '../../schema.graphql',
  documents: 'watch.ts',
  generates: { 'watch.gen.ts': { plugins: ['typescript-operations'] } },
};

export default config;
