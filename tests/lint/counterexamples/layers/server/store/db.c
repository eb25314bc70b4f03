#include "services/plans.h"
