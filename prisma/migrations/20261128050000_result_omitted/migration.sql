-- Whether an execution has ended with a result that was not kept: the state then says so, instead of showing none.
ALTER TABLE "execstream"."execution" ADD COLUMN "result_omitted" BOOLEAN NOT NULL DEFAULT false;
