#include <yaml.h>
#include <curl/curl.h>
