#include "domain/plan.h"
