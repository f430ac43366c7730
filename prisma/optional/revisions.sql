-- Optional: keeps every state of every execution, so that the stream of an engine that only updates rows misses
-- none. Without it, a stream sends the latest state at each poll (every `pollMs`).
--
--   psql "$DATABASE_URL" -f prisma/optional/revisions.sql
--
-- It can be run repeatedly, and servers detect it automatically. It costs a second write, including the full
-- result, for each change of status, attempt, result, error or usage. Servers delete the states of an execution
-- after they have sent its end; the operator deletes those of executions that nobody watched:
--
--   DELETE FROM "execstream"."execution_revision" WHERE "at" < now() - interval '1 day';
--
-- Servers that connect as a role other than the one that runs this file need:
--
--   GRANT SELECT ON "execstream"."execution_revision" TO <role>;
--
-- To remove it:
--
--   DROP TRIGGER "keep_revision" ON "execstream"."execution";
--   DROP TABLE "execstream"."execution_revision";
BEGIN;

CREATE TABLE IF NOT EXISTS "execstream"."execution_revision" (
    "execution_id" TEXT COLLATE "C" NOT NULL REFERENCES "execstream"."execution" ("id") ON DELETE CASCADE,
    "revision" INTEGER NOT NULL,
    "attempt" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "result" TEXT,
    "error" TEXT,
    "usage" TEXT,
    "at" TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY ("execution_id", "revision")
);

-- Runs with the rights of its owner: an engine needs no rights on the table of revisions.
CREATE OR REPLACE FUNCTION "execstream"."keep_revision"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW."end_seq" IS NOT NULL THEN
    DELETE FROM "execstream"."execution_revision" WHERE "execution_id" = NEW."id";
  ELSIF TG_OP = 'INSERT'
    OR (OLD."status", OLD."attempt", OLD."result", OLD."error", OLD."usage")
      IS DISTINCT FROM (NEW."status", NEW."attempt", NEW."result", NEW."error", NEW."usage") THEN
    INSERT INTO "execstream"."execution_revision"
      ("execution_id", "revision", "attempt", "status", "result", "error", "usage")
    VALUES (NEW."id", NEW."revision", NEW."attempt", NEW."status", NEW."result", NEW."error", NEW."usage");
  END IF;
  RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS "keep_revision" ON "execstream"."execution";
CREATE TRIGGER "keep_revision" AFTER INSERT OR UPDATE ON "execstream"."execution"
FOR EACH ROW EXECUTE FUNCTION "execstream"."keep_revision"();

COMMIT;
