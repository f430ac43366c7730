-- Identifies one insertion of a row: a row that was deleted and inserted again under the same id is another execution,
-- and the log of the first one must not be continued. NULL for rows from before this migration: unknown. Without a
-- DEFAULT, because ADD COLUMN with a volatile default rewrites the table; the trigger sets it.
ALTER TABLE "execstream"."execution" ADD COLUMN "incarnation" TEXT;

CREATE OR REPLACE FUNCTION "execstream"."complete_execution"() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW."status" := COALESCE(NEW."status", 'RUNNING');
    NEW."mode" := COALESCE(NEW."mode", CASE NEW."kind" WHEN 'workflow' THEN 'STRUCTURED' ELSE 'TEXT' END);
    NEW."attempt" := COALESCE(NEW."attempt", 1);
    -- Counted here only: a revision below 1 would never be read, and one at the maximum could not be changed.
    NEW."revision" := 1;
    NEW."incarnation" := COALESCE(NEW."incarnation", gen_random_uuid()::text);
    -- UTC, as all times of this table.
    NEW."started_at" := COALESCE(NEW."started_at", clock_timestamp() AT TIME ZONE 'UTC');
  ELSE
    NEW."revision" := OLD."revision" + 1;
    NEW."incarnation" := OLD."incarnation";
  END IF;

  IF NEW."status" IN ('SUCCESS', 'FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED') THEN
    NEW."finished_at" := COALESCE(NEW."finished_at", clock_timestamp() AT TIME ZONE 'UTC');
  ELSE
    NEW."finished_at" := NULL;
  END IF;

  -- The years that RFC 3339 can express, and JavaScript can read. `infinity` is outside of them.
  NEW."started_at" := LEAST(GREATEST(NEW."started_at", timestamp '0001-01-01'), timestamp '9999-12-31');
  IF NEW."finished_at" IS NOT NULL THEN
    NEW."finished_at" := LEAST(GREATEST(NEW."finished_at", timestamp '0001-01-01'), timestamp '9999-12-31');
  END IF;

  -- These columns contain JSON as text. Other text would break every reader of the row, so its statement fails instead.
  IF TG_OP = 'INSERT' OR NEW."input" IS DISTINCT FROM OLD."input" THEN PERFORM NEW."input"::json; END IF;
  IF TG_OP = 'INSERT' OR NEW."result" IS DISTINCT FROM OLD."result" THEN PERFORM NEW."result"::json; END IF;
  IF TG_OP = 'INSERT' OR NEW."error" IS DISTINCT FROM OLD."error" THEN PERFORM NEW."error"::json; END IF;
  IF TG_OP = 'INSERT' OR NEW."usage" IS DISTINCT FROM OLD."usage" THEN PERFORM NEW."usage"::json; END IF;
  RETURN NEW;
END
$$;
