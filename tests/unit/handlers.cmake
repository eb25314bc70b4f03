# Those that need a database take it from BILLINGOS_TEST_DATABASE_URL, and are skipped without.
bos_test(handlers/map_order USES handlers)
bos_test(handlers/organization_handler USES handlers)
bos_test(handlers/member_handler USES handlers)
foreach(name organization_handler member_handler)
  target_include_directories(handlers_${name}_test PRIVATE
    ${CMAKE_CURRENT_SOURCE_DIR}/unit/store ${CMAKE_CURRENT_SOURCE_DIR}/unit/services)
  set_tests_properties(unit/handlers/${name} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
bos_test(handlers/pb USES handlers)
bos_test(handlers/page_token USES handlers)
bos_test(handlers/item_error USES handlers)
bos_test(handlers/event_pb USES handlers)
