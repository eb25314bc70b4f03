bos_test(store/db USES store)
bos_test(store/db_outage USES store)
