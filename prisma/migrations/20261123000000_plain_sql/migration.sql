-- For engines that only INSERT and UPDATE: what the store says itself, a trigger fills in where it is left out, so
-- that a row written by plain SQL is a whole one. A statement that names id and kind makes an execution; one that
-- sets a final status ends it. What is given is never changed, but for a revision that does not grow.
CREATE FUNCTION "execstream"."complete_execution"() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW."status" := COALESCE(NEW."status", 'RUNNING');
    NEW."mode" := COALESCE(NEW."mode", CASE NEW."kind" WHEN 'workflow' THEN 'STRUCTURED' ELSE 'TEXT' END);
    NEW."attempt" := COALESCE(NEW."attempt", 1);
    NEW."revision" := COALESCE(NEW."revision", 1);
    -- UTC, as all times of this table.
    NEW."started_at" := COALESCE(NEW."started_at", clock_timestamp() AT TIME ZONE 'UTC');
  ELSIF NEW."revision" IS NULL OR NEW."revision" <= OLD."revision" THEN
    NEW."revision" := OLD."revision" + 1;
  END IF;

  IF NEW."status" IN ('SUCCESS', 'FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED') THEN
    NEW."finished_at" := COALESCE(NEW."finished_at", clock_timestamp() AT TIME ZONE 'UTC');
  ELSE
    NEW."finished_at" := NULL;
  END IF;

  -- These columns hold JSON as text. What is none would break whoever reads the row; better to break its statement.
  IF TG_OP = 'INSERT' OR NEW."input" IS DISTINCT FROM OLD."input" THEN PERFORM NEW."input"::json; END IF;
  IF TG_OP = 'INSERT' OR NEW."result" IS DISTINCT FROM OLD."result" THEN PERFORM NEW."result"::json; END IF;
  IF TG_OP = 'INSERT' OR NEW."error" IS DISTINCT FROM OLD."error" THEN PERFORM NEW."error"::json; END IF;
  IF TG_OP = 'INSERT' OR NEW."usage" IS DISTINCT FROM OLD."usage" THEN PERFORM NEW."usage"::json; END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER "complete_execution" BEFORE INSERT OR UPDATE ON "execstream"."execution"
FOR EACH ROW EXECUTE FUNCTION "execstream"."complete_execution"();
