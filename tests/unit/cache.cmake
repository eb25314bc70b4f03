bos_test(cache/entitlement_state USES cache THREADS)
bos_test(cache/entitlement_cache USES cache THREADS)
bos_test(cache/catalog_cache USES cache THREADS)
