# server/rpc: unit tests, and the server that tests/integration/test_rpc_*.py talks to.
bos_proto(rpctest ROOT ${CMAKE_CURRENT_SOURCE_DIR}/integration/proto FILES rpctest/v1/rpctest.proto)
file(GLOB_RECURSE rpc_protos RELATIVE ${CMAKE_SOURCE_DIR}/server/rpc/proto CONFIGURE_DEPENDS
     ${CMAKE_SOURCE_DIR}/server/rpc/proto/*.proto)
bos_descriptor_set(rpctest
  ROOTS ${CMAKE_CURRENT_SOURCE_DIR}/integration/proto ${CMAKE_SOURCE_DIR}/server/rpc/proto
  FILES rpctest/v1/rpctest.proto ${rpc_protos})
add_executable(rpc_testserver ${CMAKE_CURRENT_SOURCE_DIR}/integration/rpc_testserver.c)
target_link_libraries(rpc_testserver PRIVATE
  bos_rpc bos_pb_rpctest bos_descriptors_rpctest Threads::Threads bos_warnings)

set(rpc_test_libs bos_pb_rpc bos_pb_rpctest bos_descriptors_rpctest)
bos_test(rpc/rpc_address USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_call_bytes USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_cork USES rpc)
bos_test(rpc/rpc_descriptors USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_health USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_method_index USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_peers USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_request_id USES rpc)
bos_test(rpc/rpc_scan USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_status USES rpc LIBS ${rpc_test_libs})
bos_test(rpc/rpc_wire USES rpc)
bos_test(rpc/rpc_workers USES rpc LIBS ${rpc_test_libs} THREADS)
bos_test(rpc/rpc_server USES rpc LIBS ${rpc_test_libs} grpc gpr THREADS)
