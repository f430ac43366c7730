-- For the sweep that records the ends of Temporal workflows without viewers. Holds only open executions.
CREATE INDEX "execution_open_workflow_idx" ON "execstream"."execution" ("id")
WHERE "workflow_id" IS NOT NULL AND "finished_at" IS NULL;
