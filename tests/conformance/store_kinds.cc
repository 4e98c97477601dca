#include "conformance/store_suite.h"
#include "support/temp_dir.h"

namespace herald::test {

namespace {

class SqliteUnderTest : public StoreUnderTest {
public:
    void open() override {
        store_.reset();
        StoreOptions options;
        options.data_dir = dir_.path() / "data";
        options.segment_events = 16;
        auto opened = open_sqlite_store(options);
        if (!opened) throw std::runtime_error(opened.error().message);
        store_ = std::move(*opened);
    }
    Store& store() override { return *store_; }

private:
    TempDir dir_;
    std::unique_ptr<Store> store_;
};

}  // namespace

std::vector<StoreKind> store_kinds() {
    return {{"sqlite", [] { return std::make_unique<SqliteUnderTest>(); }}};
}

}  // namespace herald::test
