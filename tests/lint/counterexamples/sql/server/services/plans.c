static const char load[] = "SELECT plan_id FROM plans"
                           " WHERE org_id = $1";

void plans_load(void)
{
    PQexec(connection, load);
}
