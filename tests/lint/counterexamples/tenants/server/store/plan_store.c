#define COLUMNS "org_id, plan_id"

static const char good[] = "SELECT " COLUMNS " FROM plans WHERE org_id = $1 AND plan_id = $2";

/* Over all organizations: the job that removes drafts. */
static const char also_good[] = "DELETE FROM plans WHERE draft";

static const char by_id[] = "SELECT " COLUMNS
                            " FROM plans WHERE plan_id = $1";

static const char insert[] = "INSERT INTO plans (plan_id) VALUES ($1)";

static const char update[] = "UPDATE plans SET draft = false WHERE plan_id = $1";
