# How a room, its tests and its embedded files become targets. A room without sources is skipped.

add_library(herald_flags INTERFACE)
target_include_directories(herald_flags INTERFACE ${PROJECT_SOURCE_DIR}/src
                                                  ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(
    herald_flags
    INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
              BOOST_ASIO_NO_DEPRECATED HERALD_VERSION="${PROJECT_VERSION}")
target_compile_options(
    herald_flags
    INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
              -Wimplicit-fallthrough -Werror
              # A designated initialiser leaves out what has its default; that is no mistake.
              -Wno-missing-field-initializers
              # GCC 12 sees uninitialised values in coroutine frames of Boost that are not there,
              # and takes Asio's own frame allocation for a mismatch.
              "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-mismatched-new-delete>"
              # For clang -Wconversion includes the change of sign; for GCC it does not.
              $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)

if(HERALD_FUZZ)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "HERALD_FUZZ needs clang: use the preset fuzz")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
    add_link_options(-fsanitize=address,undefined)
endif()

enable_testing()
include(GoogleTest)

# Everything that must be there before a tool may read the sources.
add_custom_target(generated)

# herald_embed(<room> <namespace> <header> <files...> [ROOT <folder>] [LIST <name>]): each file
# becomes a string_view, named by its path below ROOT, which is the room's folder by default; with
# LIST all of them are in an array of that name too.
function(herald_embed room namespace header)
    cmake_parse_arguments(ARG "" "ROOT;LIST" "" ${ARGN})
    if(NOT ARG_ROOT)
        set(ARG_ROOT ${PROJECT_SOURCE_DIR}/src/${room})
    endif()
    set(files ${ARG_UNPARSED_ARGUMENTS})
    set(out ${PROJECT_BINARY_DIR}/generated/${header})
    string(REPLACE ".h" ".cc" source ${out})
    add_custom_command(
        OUTPUT ${out} ${source}
        COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${namespace} -DHEADER=${out} -DSOURCE=${source}
                "-DFILES=${files}" -DROOT=${ARG_ROOT} -DLIST=${ARG_LIST} -P
                ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        VERBATIM)
    target_sources(${room} PRIVATE ${source} ${out})
    string(MAKE_C_IDENTIFIER generate_${header} generate)
    add_custom_target(${generate} DEPENDS ${out})
    add_dependencies(generated ${generate})
endfunction()

# One binary; LABEL says which part of scripts/test its tests belong to.
function(herald_test_binary name)
    cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(
        ${name} PRIVATE ${ARG_LIBS} herald_flags GTest::gtest_main GTest::gmock GTest::gtest)
    target_compile_definitions(${name} PRIVATE HERALD_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    gtest_discover_tests(
        ${name}
        TEST_PREFIX ${name}/
        DISCOVERY_MODE PRE_TEST
        DISCOVERY_TIMEOUT 60
        PROPERTIES TIMEOUT 300 LABELS ${ARG_LABEL})
endfunction()

# herald_room(<name> LIBS <lower floors and outside libraries>): the library and its unit tests.
function(herald_room name)
    cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
    set(root ${PROJECT_SOURCE_DIR}/src/${name})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${root}/*.cc)
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    list(FILTER sources EXCLUDE REGEX "(_test|/app/main)\\.cc$")
    file(GLOB_RECURSE sql CONFIGURE_DEPENDS ${root}/*.sql)
    file(GLOB_RECURSE assets CONFIGURE_DEPENDS ${root}/assets/* ${root}/openapi.json ${root}/*.py
         ${root}/*.jq)

    if(sources OR sql OR assets)
        add_library(${name} STATIC ${sources})
        target_link_libraries(${name} PUBLIC ${ARG_LIBS} PRIVATE herald_flags)
        set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${ARG_LIBS})
    endif()
    if(sql)
        herald_embed(${name} herald::sql ${name}/sql.h ${sql})
    endif()
    if(assets)
        herald_embed(${name} herald::assets ${name}/assets.h ${assets})
    endif()
    if(tests)
        herald_test_binary(${name}_test LABEL unit SOURCES ${tests} LIBS test_support ${name})
    endif()
endfunction()

function(herald_program)
    file(GLOB main CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/app/main.cc)
    if(NOT main)
        return()
    endif()
    add_executable(herald ${main})
    target_link_libraries(herald PRIVATE app herald_flags)
    if(HERALD_MIMALLOC)
        find_package(mimalloc REQUIRED)
        target_link_libraries(herald PRIVATE mimalloc)
    endif()
endfunction()

function(herald_tests name)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cc)
    if(sources)
        herald_test_binary(${name}_test LABEL ${name} SOURCES ${sources}
                           LIBS test_support api infrahub source)
    endif()
endfunction()

# With HERALD_FUZZ everything is instrumented; tests/fuzz/<name>_fuzz.cc becomes fuzz_<name>.
function(herald_fuzzers)
    if(NOT HERALD_FUZZ)
        return()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*.cc)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        string(REGEX REPLACE "_fuzz$" "" name ${name})
        add_executable(fuzz_${name} ${source})
        target_link_libraries(fuzz_${name} PRIVATE infrahub herald_flags)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    endforeach()
endfunction()

function(herald_benchmarks)
    if(NOT HERALD_BENCH)
        return()
    endif()
    find_package(benchmark REQUIRED)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.cc)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        add_executable(bench_${name} ${source})
        target_link_libraries(bench_${name} PRIVATE app herald_flags benchmark::benchmark)
    endforeach()
endfunction()

# What tests share. It links no room: the test binary that uses a part of it links the room.
file(GLOB support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.cc)
if(support)
    add_library(test_support STATIC ${support})
    target_include_directories(test_support PUBLIC ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(
        test_support
        PUBLIC GTest::gtest OpenSSL::SSL Boost::json Boost::url
        PRIVATE herald_flags)
else()
    add_library(test_support INTERFACE)
    target_include_directories(test_support INTERFACE ${PROJECT_SOURCE_DIR}/tests)
endif()
