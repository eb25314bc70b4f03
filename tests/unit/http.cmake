bos_test(http/json USES http)
bos_test(http/http_client USES http THREADS)
bos_test(http/http_server USES http THREADS)
bos_test(http/http_connection USES http THREADS)
