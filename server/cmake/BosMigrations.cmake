# bos_migrations(store ${CMAKE_SOURCE_DIR}/migrations)
# The text of migrations/NNNN_name.sql in the program, as `const struct schema SCHEMA` of
# store/schema.h. A changed, added or removed file makes the table anew.
#
# The same file is the script that writes the table: cmake -P, with OUTPUT, FILES.
if(CMAKE_SCRIPT_MODE_FILE)
  string(REPLACE "|" ";" FILES "${FILES}")
  set(texts "")
  set(table "")
  set(expected 1)
  foreach(file IN LISTS FILES)
    get_filename_component(base ${file} NAME_WE)
    if(NOT base MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
      message(FATAL_ERROR "${file}: the name of a migration is NNNN_name.sql")
    endif()
    set(number ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    string(REGEX REPLACE "^0+" "" version ${number})
    if(NOT version EQUAL expected)
      message(FATAL_ERROR "${file}: migration ${expected} should come here")
    endif()
    math(EXPR expected "${expected} + 1")
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND texts "static const unsigned char text_${number}[] = {\n${bytes}0};\n")
    string(APPEND table "    {${version}, \"${name}\", (const char *)text_${number}},\n")
  endforeach()
  file(WRITE ${OUTPUT}
    "/* Written by BosMigrations.cmake. */\n#include \"store/schema.h\"\n\n${texts}\n"
    "static const struct migration migrations[] = {\n${table}    {0, \"\", \"\"},\n};\n\n"
    "const struct schema SCHEMA = {migrations, sizeof migrations / sizeof migrations[0] - 1};\n")
  return()
endif()

function(bos_migrations module folder)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)     # sorted by name
  string(REPLACE ";" "|" list "${files}")
  set(output ${CMAKE_BINARY_DIR}/migrations/schema_migrations.c)
  set(names ${CMAKE_BINARY_DIR}/migrations/names)        # changes when a file comes or goes
  file(CONFIGURE OUTPUT ${names} CONTENT "${list}\n")
  set(script ${CMAKE_SOURCE_DIR}/server/cmake/BosMigrations.cmake)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${list}" -P ${script}
    DEPENDS ${files} ${names} ${script}
    COMMENT "Building the migrations in" VERBATIM)
  target_sources(bos_${module} PRIVATE ${output})
endfunction()
