# C code and descriptor sets from .proto files. Generated code is compiled without our warnings.
pkg_check_modules(protobufc REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_GEN_C protoc-gen-c REQUIRED)

# protoc-gen-c 1.4.1 refuses proto3 `optional` only because it does not announce the feature; messages
# of protoc's plugin protocol can be concatenated, so the wrapper appends the announcement.
set(BOS_PROTOC_GEN_C ${CMAKE_BINARY_DIR}/protoc-gen-c-optional)
file(WRITE ${BOS_PROTOC_GEN_C} "#!/bin/sh\n'${PROTOC_GEN_C}' \"$@\" && printf '\\020\\001'\n")
file(CHMOD ${BOS_PROTOC_GEN_C} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

# bos_proto(api ROOT ${CMAKE_SOURCE_DIR}/api FILES billingos/v1/common.proto ... [LINK other])
# A library bos_pb_<name> of generated C. ROOT empty: protoc's own include folder.
function(bos_proto name)
  cmake_parse_arguments(P "" "ROOT" "FILES;LINK" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/gen/${name})
  file(MAKE_DIRECTORY ${out})
  set(sources "")
  set(headers "")
  set(inputs "")
  foreach(file ${P_FILES})
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    list(APPEND sources ${out}/${stem}.pb-c.c)
    list(APPEND headers ${out}/${stem}.pb-c.h)
    if(P_ROOT)
      list(APPEND inputs ${P_ROOT}/${file})
    endif()
  endforeach()
  set(path "")
  if(P_ROOT)
    set(path -I${P_ROOT})
  endif()
  add_custom_command(
    OUTPUT ${sources} ${headers}
    COMMAND ${PROTOC} ${path} -I${BOS_PROTOC_INCLUDE} --plugin=protoc-gen-c=${BOS_PROTOC_GEN_C} --c_out=${out} ${P_FILES}
    DEPENDS ${inputs}
    COMMENT "Generating C for ${name}"
    VERBATIM)
  add_library(bos_pb_${name} STATIC ${sources})
  target_include_directories(bos_pb_${name} SYSTEM PUBLIC ${out})
  target_link_libraries(bos_pb_${name} PUBLIC ${P_LINK} PkgConfig::protobufc)
endfunction()

# bos_descriptor_set(api ROOTS dir ... FILES a.proto ...): build/.../gen/<name>.binpb, with comments and
# imports, embedded as `const unsigned char <name>_descriptor_set[]`, `const size_t <name>_descriptor_set_len`.
function(bos_descriptor_set name)
  cmake_parse_arguments(D "" "" "ROOTS;FILES" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/gen/${name}.binpb)
  set(paths "")
  foreach(root ${D_ROOTS})
    list(APPEND paths -I${root})
  endforeach()
  set(inputs "")
  foreach(file ${D_FILES})
    foreach(root ${D_ROOTS})
      if(EXISTS ${root}/${file})
        list(APPEND inputs ${root}/${file})
      endif()
    endforeach()
  endforeach()
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${PROTOC} ${paths} -I${BOS_PROTOC_INCLUDE} --include_imports --include_source_info --descriptor_set_out=${out} ${D_FILES}
    DEPENDS ${inputs}
    COMMENT "Describing ${name}"
    VERBATIM)
  set(source ${CMAKE_BINARY_DIR}/gen/${name}_descriptor_set.c)
  file(WRITE ${source}.in
"#include <stddef.h>
__asm__(\".section .rodata\\n.balign 16\\n.global ${name}_descriptor_set\\n${name}_descriptor_set:\\n\"
        \".incbin \\\"${out}\\\"\\n${name}_descriptor_set_end:\\n.byte 0\\n.balign 8\\n\"
        \".global ${name}_descriptor_set_len\\n${name}_descriptor_set_len:\\n\"
        \".quad ${name}_descriptor_set_end - ${name}_descriptor_set\\n.previous\\n\");
")
  configure_file(${source}.in ${source} COPYONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${out})
  add_library(bos_descriptors_${name} STATIC ${source})
endfunction()

find_path(BOS_PROTOC_INCLUDE google/protobuf/timestamp.proto REQUIRED)
bos_proto(wkt FILES
  google/protobuf/timestamp.proto google/protobuf/duration.proto google/protobuf/field_mask.proto
  google/protobuf/any.proto google/protobuf/descriptor.proto)
