-- A paused subscription that resumes by itself: the payment side knows no such date, so we keep it.
ALTER TABLE subscriptions ADD COLUMN resume_at timestamptz;
CREATE INDEX subscriptions_resume ON subscriptions (resume_at) WHERE resume_at IS NOT NULL;
