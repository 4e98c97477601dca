#include "core/url.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace herald {
namespace {

TEST(Url, IsTakenApart) {
    struct Case {
        std::string_view text;
        Url url;
        std::string_view host_header;
    };
    const Case cases[] = {
        {"http://ansible-eda:8080", {false, "ansible-eda", 8080, "/", ""}, "ansible-eda:8080"},
        {"https://example.com", {true, "example.com", 443, "/", ""}, "example.com"},
        {"https://example.com:443/", {true, "example.com", 443, "/", ""}, "example.com"},
        {"http://example.com:443/", {false, "example.com", 443, "/", ""}, "example.com:443"},
        {"HTTPS://EXAMPLE.Com/A/B", {true, "example.com", 443, "/A/B", ""}, "example.com"},
        {"http://h/a?b=c&d", {false, "h", 80, "/a?b=c&d", ""}, "h"},
        {"http://h?b=c", {false, "h", 80, "/?b=c", ""}, "h"},
        {"http://h//x", {false, "h", 80, "//x", ""}, "h"},
        {"http://h/?u=http://g:1/?", {false, "h", 80, "/?u=http://g:1/?", ""}, "h"},
        {"http://h/?", {false, "h", 80, "/?", ""}, "h"},
        {"http://h/%20%C3%BC", {false, "h", 80, "/%20%C3%BC", ""}, "h"},
        {"http://h/a/../b//c/.", {false, "h", 80, "/a/../b//c/.", ""}, "h"},
        {"http://h/a@b:c;d=$!'()*+,?x=a/b?c",
         {false, "h", 80, "/a@b:c;d=$!'()*+,?x=a/b?c", ""},
         "h"},
        {"http://10.0.0.1:65535/x", {false, "10.0.0.1", 65535, "/x", ""}, "10.0.0.1:65535"},
        {"http://h:0080/", {false, "h", 80, "/", ""}, "h"},
        {"http://[::1]/", {false, "::1", 80, "/", ""}, "[::1]"},
        {"http://[2001:DB8:0:0::1]:8200/x",
         {false, "2001:db8::1", 8200, "/x", ""},
         "[2001:db8::1]:8200"},
        {"http://[::ffff:10.0.0.1]/", {false, "::ffff:10.0.0.1", 80, "/", ""}, "[::ffff:10.0.0.1]"},
        {"http://my_service.ns.svc.cluster.local./",
         {false, "my_service.ns.svc.cluster.local.", 80, "/", ""},
         "my_service.ns.svc.cluster.local."},
        {"https://xn--bcher-kva.example/",
         {true, "xn--bcher-kva.example", 443, "/", ""},
         "xn--bcher-kva.example"},
        {"http://10.0.0.1.nip.io:8080/x",
         {false, "10.0.0.1.nip.io", 8080, "/x", ""},
         "10.0.0.1.nip.io:8080"},
        {"http://1.2.3.4x/", {false, "1.2.3.4x", 80, "/", ""}, "1.2.3.4x"},
        {"http://3com.example/", {false, "3com.example", 80, "/", ""}, "3com.example"},
        {"http://user:pass@h/", {false, "h", 80, "/", "user:pass"}, "h"},
        {"http://user@h/", {false, "h", 80, "/", "user:"}, "h"},
        {"http://:pass@h/", {false, "h", 80, "/", ":pass"}, "h"},
        {"http://@h/", {false, "h", 80, "/", ""}, "h"},
        {"http://us%40er:p%3Aa%2Fss@h:81/", {false, "h", 81, "/", "us@er:p:a/ss"}, "h:81"},
        {"http://u:a:b@h/", {false, "h", 80, "/", "u:a:b"}, "h"},
    };
    for (const Case& c : cases) {
        const auto url = parse_url(c.text);
        ASSERT_TRUE(url) << c.text << ": " << url.error().message;
        EXPECT_EQ(*url, c.url) << c.text << ": " << url->host << " " << url->target;
        EXPECT_EQ(url->host_header(), c.host_header) << c.text;
    }
}

TEST(Url, RefusalNamesTheFaultAndTheFix) {
    struct Case {
        std::string text;
        std::string_view says;
    };
    const Case cases[] = {
        {"", "is required"},
        {"example.com/hook", "http:// or https://"},
        {"//example.com/", "http:// or https://"},
        {"/hook", "http:// or https://"},
        {"ftp://example.com/", "http:// or https://"},
        {"http:/example.com/", "http:// or https://"},
        {"http:example.com", "http:// or https://"},
        {"javascript:alert(1)", "http:// or https://"},
        {"httpx://h/", "http:// or https://"},
        {"http://h/#part", "fragment"},
        {"http://h#", "fragment"},
        {" http://h/", "spaces"},
        {"http://h/ ", "spaces"},
        {"http://h/a b", "%20"},
        {"http://h/\n", "control"},
        {"http://h/\tx", "control"},
        {std::string("http://h/\0x", 11), "control"},
        {"http://h/\x7f", "control"},
        {"http://b\xc3\xbc"
         "cher.example/",
         "punycode"},
        {"http://h/\xc3\xbc", "percent-encoded"},
        {"http://h\\x/", "backslash"},
        {"http://h/{id}", "%7B"},
        {"http://h/a|b", "%7C"},
        {"http://h/\"", "%22"},
        {"http:///path", "no host"},
        {"http://", "no host"},
        {"http://?x", "no host"},
        {"http://:80/", "no host"},
        {"http://user:pass@/", "no host"},
        {"http://user:pass@:80/", "no host"},
        {"http://h:/", "port"},
        {"http://h:0/", "port"},
        {"http://h:65536/", "port"},
        {"http://h:99999999999999999999/", "port"},
        {"http://h:80x/", "port"},
        {"http://h:-1/", "port"},
        {"http://h:+1/", "port"},
        {"http://h:80;a", "port"},
        {"http://[::1]x/", "port"},
        {"http://[::1]80/", "port"},
        {"http://[::1]x:80/", "port"},
        {"http://[::1]:/", "port"},
        {"http://h/%", "hex digits"},
        {"http://h/%4", "hex digits"},
        {"http://h/?%g0", "hex digits"},
        {"http://h/%zz", "hex digits"},
        {"http://h/[", "%5B"},
        {"http://h/?a[]=1", "%5B"},
        {"http://[fe80::1%25eth0]/", "zone id"},
        {"http://[fe80::1%eth0]/", "zone id"},
        {"http://::1/", "without brackets"},
        {"http://2001:db8::1/x", "without brackets"},
        {"http://[::1/", "as in [2001:db8::1]"},
        {"http://[/", "as in [2001:db8::1]"},
        {"http://[]/", "as in [2001:db8::1]"},
        {"http://[1.2.3.4]/", "as in [2001:db8::1]"},
        {"http://[::1::]/", "as in [2001:db8::1]"},
        {"http://[v1.x]/", "as in [2001:db8::1]"},
        {"http://%zz/", "other than letters"},
        {"http://a%2fb/", "other than letters"},
        {"http://a%00b/", "other than letters"},
        {"http://a%2540b/", "other than letters"},
        {"http://b%c3%bccher.example/", "punycode"},
        {"http://1.2.3.256/", "four decimal numbers"},
        {"http://1.2.3.4.5/", "four decimal numbers"},
        {"http://4294967296/", "four decimal numbers"},
        {"http://0x100000000/", "four decimal numbers"},
        {"http://256.1/", "four decimal numbers"},
        {"http://1.16777216/", "four decimal numbers"},
        {"http://08.1/", "four decimal numbers"},
        {"http://h.0x/", "four decimal numbers"},
        {"http://h.1/", "four decimal numbers"},
        {"http://1..1/", "part that is empty"},
        {"http://1.1../", "part that is empty"},
        {"http://a..b/", "part that is empty"},
        {"http://.a/", "part that is empty"},
        {"http://./", "part that is empty"},
        {"http://" + std::string(64, 'a') + "/", "longer than 63"},
        {"http://a!b/", "other than letters"},
        {"http://a,b/", "other than letters"},
        {"http://h]/", "other than letters"},
        {"http://us%3Aer:pass@h/", "user name"},
        {"http://a@b@h/", "%40"},
        {"http://u:%zz@h/", "%25"},
        {"http://u:[@h/", "percent-encoded"},
        {"http://u:p%0d%0a@h/", "control characters in its user name"},
    };
    for (const Case& c : cases) {
        const auto url = parse_url(c.text);
        ASSERT_FALSE(url) << c.text;
        EXPECT_EQ(url.error().code, Errc::invalid);
        ASSERT_EQ(url.error().fields.size(), 1U);
        EXPECT_EQ(url.error().fields[0].pointer, "/url");
        EXPECT_NE(url.error().fields[0].detail.find(c.says), std::string::npos)
            << c.text << ": " << url.error().fields[0].detail;
    }
}

TEST(Url, HostHasOneFormHoweverItIsWritten) {
    struct Case {
        std::string_view written;
        std::string_view host;
    };
    const Case cases[] = {
        {"2130706433", "127.0.0.1"},
        {"0x7f000001", "127.0.0.1"},
        {"0X7F.1", "127.0.0.1"},
        {"017700000001", "127.0.0.1"},
        {"127.1", "127.0.0.1"},
        {"127.0.1", "127.0.0.1"},
        {"127.65535", "127.0.255.255"},
        {"0177.0.0.01", "127.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"0", "0.0.0.0"},
        {"0x", "0.0.0.0"},
        {"0x.0x.0", "0.0.0.0"},
        {"4294967295", "255.255.255.255"},
        {"%31%32%37.0.0.1", "127.0.0.1"},
        {"127%2e0%2E0%2e1", "127.0.0.1"},
        {"0%78%37f.1", "127.0.0.1"},
        {"%65xample.COM", "example.com"},
        {"Example.com.", "example.com."},
        {"1.2.3.4x", "1.2.3.4x"},
        {"0xg", "0xg"},
        {"[0:0::0:1]", "::1"},
        {"[2001:DB8::A]", "2001:db8::a"},
        {"[::FFFF:7F00:1]", "::ffff:127.0.0.1"},
        {"[::127.0.0.1]", "::127.0.0.1"},
    };
    for (const Case& c : cases) {
        const auto url = parse_url("http://" + std::string(c.written) + "/");
        ASSERT_TRUE(url) << c.written << ": " << url.error().message;
        EXPECT_EQ(url->host, c.host) << c.written;
    }
}

TEST(Url, HostIsWhatFollowsTheLastAtSign) {
    const auto url = parse_url("http://127.0.0.1%2f@evil.example/");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "evil.example");
}

TEST(Url, LengthIsBounded) {
    const std::string start = "http://h/";
    const std::string longest = start + std::string(limits::url_bytes - start.size(), 'a');
    EXPECT_TRUE(parse_url(longest));
    EXPECT_FALSE(parse_url(longest + "a"));
    std::string name;
    for (int i = 0; i < 128; ++i) name += "a.";
    EXPECT_FALSE(parse_url("http://" + name + "aa/"));
}

TEST(Url, RefusalNeverRepeatsTheUrl) {
    for (const char* text :
         {"http://user:hunter2@/", "http://user:hunter2@h:99999/", "http://user:hunter2@h/#x",
          "http://user:hunter2@4294967296/", "ftp://user:hunter2@h/", "http://h/%?token=hunter2"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().message.find("hunter2"), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace herald
