#include "store/db_internal.h"
