// What graphql-codegen makes: `schema.graphql` from the Pothos schema, and the types of the documents that the REST
// aliases run. `npm run codegen:check` fails where the files in the repository are not what this makes.
import type { CodegenConfig } from '@graphql-codegen/cli';
import { printSchema } from 'graphql';
import { schema } from './src/schema/index.ts';

const config: CodegenConfig = {
  schema: printSchema(schema),
  generates: {
    'schema.graphql': { plugins: ['schema-ast'] },
    'src/rest/documents.gen.ts': {
      documents: 'src/rest/documents.ts',
      plugins: [
        { add: { content: '// Made by `npm run codegen` from documents.ts; not edited by hand.' } },
        'typescript-operations',
      ],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        skipTypename: true,
        scalars: { ID: 'string', Cursor: 'string', DateTime: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
