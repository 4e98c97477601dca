#include <gtest/gtest.h>

#include "transform/git_mirror.h"

namespace herald {

namespace {

TEST(GitLocation, TakesPathsAndWhatGitClones) {
    for (const char* good :
         {"/srv/transforms", "https://github.com/acme/transforms.git", "http://git.local:3000/a/b",
          "https://deploy@host/x", "ssh://git@host:2222/acme/x.git", "git@github.com:acme/x.git",
          "file:///srv/transforms.git"}) {
        EXPECT_EQ(location_complaint(good), "") << good;
    }
}

TEST(GitLocation, RefusesWhatIsNoneAndWhatCouldBeTakenForAnOption) {
    for (const char* bad : {"", "transforms", "./transforms", "--upload-pack=touch", "-x@host:path",
                            "a@-oProxy:path", "ssh://-oProxyCommand=x/y", "ssh://-x@host/y",
                            "ext::sh -c touch", "git://host/x", "https://", "https://host",
                            "file://host/x", "a@host:-x", "/srv/a b", "https://host/a\nb"}) {
        EXPECT_NE(location_complaint(bad), "") << bad;
    }
}

TEST(GitLocation, APasswordInItIsRefusedWithoutBeingRepeated) {
    const std::string complaint = location_complaint("https://name:s3cret-word@host/x.git");
    EXPECT_TRUE(complaint.contains("no password")) << complaint;
    EXPECT_FALSE(complaint.contains("s3cret"));
}

}  // namespace

}  // namespace herald
