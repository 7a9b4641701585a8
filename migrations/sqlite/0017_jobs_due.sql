-- Jobs are looked for by their kind, and lane: `jobs_due_by_lane` has both.
DROP INDEX jobs_due;
