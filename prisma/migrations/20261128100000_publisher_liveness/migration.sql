-- Whether a publisher has promised heartbeats for this execution. The heartbeats themselves are in the log (Redis, or
-- the server's memory) and can be lost with it; the promise cannot.
--
--   true   a publisher has begun the current attempt: without a heartbeat it counts as lost
--   false  the attempt was abandoned, and another one will follow: never ended for want of heartbeats
--   NULL   unknown: written by plain SQL, or its end is known to Temporal. Judged by stored heartbeats alone, if any
--
-- Rows from before this migration stay NULL. They may belong to engines that write rows by plain SQL and send no
-- heartbeats, and an execution that was ended by mistake cannot be reopened; one that was left open can be ended by
-- hand. A publisher that begins another attempt of such a row sets the column.
ALTER TABLE "execstream"."execution" ADD COLUMN "expects_heartbeats" BOOLEAN;

-- For the liveness sweep. Holds only open executions with a publisher.
CREATE INDEX "execution_expecting_heartbeats_idx" ON "execstream"."execution" ("id")
WHERE "expects_heartbeats" AND "finished_at" IS NULL;
