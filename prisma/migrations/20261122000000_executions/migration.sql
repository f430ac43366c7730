-- The table of executions, in a schema of its own: nothing outside of it is touched.
-- Every migration runs in one transaction, so none may hold a statement that refuses one (CREATE INDEX CONCURRENTLY).

-- Not CREATE SCHEMA IF NOT EXISTS, which asks for the right to create one even where it is there.
DO $$
BEGIN
  IF to_regnamespace('execstream') IS NULL THEN
    CREATE SCHEMA "execstream";
  END IF;
END
$$;

CREATE TABLE "execstream"."execution" (
    -- Collation "C": ids sort as in JavaScript, whatever the database's locale.
    "id" TEXT COLLATE "C" NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "name" TEXT,
    "tenant" TEXT,
    "parent_id" TEXT,
    "workflow_id" TEXT,
    "run_id" TEXT,
    -- JSON, as text: see schema.prisma.
    "input" TEXT,
    "result" TEXT,
    "error" TEXT,
    "usage" TEXT,
    "revision" INTEGER NOT NULL DEFAULT 1,
    -- UTC.
    "started_at" TIMESTAMP(3) NOT NULL,
    "finished_at" TIMESTAMP(3),
    "end_seq" INTEGER,
    "end_epoch" TEXT,

    CONSTRAINT "execution_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "execution_kind_check" CHECK ("kind" IN ('workflow', 'agent', 'task')),
    CONSTRAINT "execution_mode_check" CHECK ("mode" IN ('TEXT', 'STRUCTURED')),
    CONSTRAINT "execution_status_check" CHECK ("status" IN (
        'PENDING', 'RUNNING', 'WAITING', 'PAUSED', 'SUCCESS', 'FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'
    )),
    CONSTRAINT "execution_attempt_check" CHECK ("attempt" >= 1),
    CONSTRAINT "execution_finished_check" CHECK (
        ("finished_at" IS NOT NULL) = ("status" IN ('SUCCESS', 'FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'))
    ),
    CONSTRAINT "execution_end_check" CHECK (("end_seq" IS NULL) = ("end_epoch" IS NULL))
);

-- Lists, newest first: all, and by kind, status, tenant.
CREATE INDEX "execution_started_at_id_idx" ON "execstream"."execution" ("started_at" DESC, "id" DESC);
CREATE INDEX "execution_kind_started_at_id_idx" ON "execstream"."execution" ("kind", "started_at" DESC, "id" DESC);
CREATE INDEX "execution_status_started_at_id_idx" ON "execstream"."execution" ("status", "started_at" DESC, "id" DESC);
CREATE INDEX "execution_tenant_started_at_id_idx" ON "execstream"."execution" ("tenant", "started_at" DESC, "id" DESC);

-- Children, oldest first.
CREATE INDEX "execution_parent_id_started_at_id_idx" ON "execstream"."execution" ("parent_id", "started_at", "id");
