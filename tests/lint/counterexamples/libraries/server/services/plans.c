#include <libpq-fe.h>
#include <grpc/grpc.h>
