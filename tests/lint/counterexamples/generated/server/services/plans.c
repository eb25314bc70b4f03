#include "billingos/v1/catalog_service.pb-c.h"
