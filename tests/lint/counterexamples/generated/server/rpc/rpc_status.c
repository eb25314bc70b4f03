#include "google/rpc/status.pb-c.h"
#include "billingos/v1/common.pb-c.h"
