#include "transform/python_host.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace herald {
namespace {

TEST(PythonHost, is_started_without_environment_and_caches) {
    const auto command = python_host_command("/opt/python");
    ASSERT_EQ(command.size(), 7U);
    EXPECT_EQ(command[0], "/opt/python");
    EXPECT_EQ(command[1], "-I");
    EXPECT_NE(command[6].find("herald_modules"), std::string::npos);
}

TEST(PythonHost, program_is_an_object_of_module_texts) {
    const std::string& program = python_host_program();
    ASSERT_EQ(canonical_json(program), program);
    const auto host = JsonView(program).string("herald_host");
    ASSERT_TRUE(host);
    EXPECT_NE(host->find("\ndef main(fd):\n"), std::string::npos);
    EXPECT_TRUE(JsonView(program).string("herald_modules"));
}

}  // namespace
}  // namespace herald
