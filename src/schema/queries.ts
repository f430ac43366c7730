// The queries `execution` (by id) and `executions` (a list).
import { checkExecutionId } from '../event/execution-id.ts';
import { requireRead } from '../execution/permission.ts';
import { builder, ExecutionKindEnum, ExecutionStatusEnum } from './builder.ts';
import { connectionArguments, readConnection } from './connection.ts';
import { ExecutionConnectionObject, ExecutionObject } from './execution.ts';

const EMPTY_PAGE = { executions: [], hasNextPage: false };

builder.queryType({
  fields: (t) => ({
    execution: t.field({
      type: ExecutionObject,
      nullable: true,
      args: { kind: t.arg({ type: ExecutionKindEnum, required: true }), id: t.arg.id({ required: true }) },
      resolve: async (_, { kind, id }, { reads, caller }) => {
        const row = await reads.find(kind, checkExecutionId(id));
        if (!row) return null;
        const permission = await reads.permission(row);
        if (permission.read === 'hidden') return null;
        await requireRead(() => permission, caller, row);
        reads.count(1);
        return row;
      },
    }),
    executions: t.field({
      type: ExecutionConnectionObject,
      description: 'Newest first.',
      args: {
        kind: t.arg({ type: ExecutionKindEnum }),
        status: t.arg({ type: ExecutionStatusEnum }),
        ...connectionArguments(t.arg),
      },
      resolve: (_, { kind, status, ...args }, context) => {
        const filter = context.services.readFilters.list(context.caller);
        const query = { ...filter, ...(kind && { kind }), ...(status && { status }) };
        return readConnection(args, context, async (page) =>
          filter ? context.reads.list({ ...query, ...page }) : EMPTY_PAGE,
        );
      },
    }),
  }),
});
