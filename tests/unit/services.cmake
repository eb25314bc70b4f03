bos_test(services/offer_choice USES services)
bos_test(services/subscription_snapshot USES services)
bos_test(services/auth_cache USES services THREADS)

# Those that need a database take it from BILLINGOS_TEST_DATABASE_URL, and are skipped without.
bos_test(services/auth USES services)
target_include_directories(services_auth_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/store)
set_tests_properties(unit/services/auth PROPERTIES SKIP_RETURN_CODE 77)

bos_test(services/plan_draft USES services)
bos_test(services/customers USES services)
foreach(test IN ITEMS plan_draft customers)
  target_include_directories(services_${test}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/store)
  set_tests_properties(unit/services/${test} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
