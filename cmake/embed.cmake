# Writes HEADER and SOURCE: each of FILES as an `extern const std::string_view` named by its path
# below ROOT, with "_" for every character that no identifier may have, without a leading "assets/"
# and a closing ".sql": sqlite/0001_init.sql becomes sqlite_0001_init, openapi.json openapi_json.
# With LIST an array of that name holds all of them.
# The bytes go out one by one, since compilers limit the length of a string literal.
set(declarations "")
set(definitions "")
set(names "")
foreach(file ${FILES})
    file(RELATIVE_PATH name ${ROOT} ${file})
    string(REGEX REPLACE "^assets/" "" name ${name})
    string(REGEX REPLACE "\\.sql$" "" name ${name})
    string(MAKE_C_IDENTIFIER ${name} name)
    list(APPEND names ${name})
    string(APPEND declarations "extern const std::string_view ${name};\n")
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
    string(APPEND definitions
           "constexpr char ${name}_bytes[] = {${bytes}'\\0'};\n"
           "const std::string_view ${name}(${name}_bytes, sizeof ${name}_bytes - 1);\n")
endforeach()
if(LIST)
    list(LENGTH names count)
    list(JOIN names "," names)
    set(array "const std::array<std::string_view, ${count}> ${LIST}")
    string(APPEND declarations "extern ${array};\n")
    string(APPEND definitions "${array}{${names}};\n")
endif()
file(WRITE ${HEADER}
     "#pragma once\n\n#include <array>\n#include <string_view>\n\n"
     "namespace ${NAMESPACE} {\n${declarations}}  // namespace ${NAMESPACE}\n")
file(WRITE ${SOURCE} "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n${definitions}"
     "}  // namespace ${NAMESPACE}\n")
