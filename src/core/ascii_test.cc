#include "core/ascii.h"

#include <gtest/gtest.h>

namespace herald::ascii {
namespace {

TEST(Ascii, LowersLettersOnly) {
    EXPECT_EQ(lower("X-API-Key_09@[`{Z"), "x-api-key_09@[`{z");
    EXPECT_EQ(lower("\xc3\x9c"), "\xc3\x9c");
    EXPECT_EQ(lower(""), "");
}

TEST(Ascii, TellsCharactersApart) {
    for (const char c : {'0', '9'}) EXPECT_TRUE(is_digit(c));
    for (const char c : {'/', ':', 'a', '\xb2'}) EXPECT_FALSE(is_digit(c));
    for (const char c : {'a', 'z', 'A', 'Z'}) EXPECT_TRUE(is_letter(c));
    for (const char c : {'@', '[', '`', '{', '5', '\xe4'}) EXPECT_FALSE(is_letter(c));
    for (const char c : {'\0', '\n', '\x1f', '\x7f'}) EXPECT_TRUE(is_control(c));
    for (const char c : {' ', '~', '\x80', '\xff'}) EXPECT_FALSE(is_control(c));
}

}  // namespace
}  // namespace herald::ascii
