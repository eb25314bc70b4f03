#pragma once

/* Places where the integration tests make the process die or wait, to see that nothing is half done
 * afterwards. Named in the environment, with commas between them:
 *     BILLINGOS_FAILPOINTS="subscription.claimed=crash,inbox.stored=sleep:250,tail.read=crash@3"
 * crash kills the process without a farewell (SIGKILL), crash@3 at the third visit. A list that
 * cannot be read ends the process with 2. Compiled out unless BOS_FAILPOINTS is defined; costs one
 * load of a flag otherwise. Thread-safe. */

#ifdef BOS_FAILPOINTS
void failpoint(const char *name);
#else
#define failpoint(name) ((void)0)
#endif
