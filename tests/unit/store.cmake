# A test that needs a database takes it from BILLINGOS_TEST_DATABASE_URL, and is skipped without;
# db_outage starts a cluster of its own.
bos_test(store/api_key_store USES store)
bos_test(store/catalog_keys_store USES store)
bos_test(store/db USES store THREADS)
bos_test(store/db_listen USES store THREADS)
bos_test(store/db_outage USES store THREADS)
bos_test(store/event_log USES store THREADS)
bos_test(store/rows USES store)
bos_test(store/schema USES store THREADS)
bos_test(store/tx USES store)
set_tests_properties(
  unit/store/api_key_store unit/store/catalog_keys_store unit/store/db unit/store/db_listen unit/store/db_outage unit/store/event_log unit/store/rows
  unit/store/schema unit/store/tx PROPERTIES SKIP_RETURN_CODE 77)
