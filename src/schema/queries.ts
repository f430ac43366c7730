// The queries `execution` (by id) and `executions` (a list).
import { checkExecutionId } from '../event/execution-id.ts';
import { builder, ExecutionKindEnum, ExecutionStatusEnum } from './builder.ts';
import { connectionArguments, readConnection } from './connection.ts';
import { ExecutionConnectionObject, ExecutionObject, visibleExecution } from './execution.ts';
import { runIdArgument, runIdOf } from './runs.ts';
import { workflowFilterArguments, workflowFilterOf } from './workflow-filters.ts';

const EMPTY_PAGE = { executions: [], hasNextPage: false };

builder.queryType({
  fields: (t) => ({
    execution: t.field({
      type: ExecutionObject,
      nullable: true,
      args: {
        kind: t.arg({ type: ExecutionKindEnum, required: true }),
        id: t.arg.id({ required: true }),
        runId: runIdArgument(t.arg),
      },
      resolve: async (_, { kind, id, runId }, context) => {
        const found = await context.reads.find(kind, checkExecutionId(id), runIdOf(runId));
        const row = await visibleExecution(found, context);
        if (row) context.reads.count(1);
        return row;
      },
    }),
    executions: t.field({
      type: ExecutionConnectionObject,
      description: 'Newest first.',
      args: {
        kind: t.arg({ type: ExecutionKindEnum }),
        status: t.arg({ type: ExecutionStatusEnum }),
        ...workflowFilterArguments(t.arg),
        ...connectionArguments(t.arg),
      },
      resolve: (_, { kind, status, ...args }, context) => {
        const filter = context.services.readFilters.list(context.caller);
        const query = {
          ...filter,
          ...(kind && { kind }),
          ...(status && { status }),
          ...workflowFilterOf(args),
        };
        return readConnection(args, context, async (page) =>
          filter ? context.reads.list({ ...query, ...page }) : EMPTY_PAGE,
        );
      },
    }),
  }),
});
