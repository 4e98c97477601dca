#include "store/sqlite/made_requests.h"

#include <string>
#include <utility>

namespace herald::sqlite {

MadeRequests::MadeRequests(MainDb& main) : main_(main) {
    Statement rows = main.db().prepare("SELECT delivery FROM made_request");
    while (rows.step()) kept_.insert(rows.as<std::uint64_t>(0));
}

void MadeRequests::keep(const std::vector<Settlement>& settlements) {
    std::vector<const Settlement*> fresh;
    for (const Settlement& one : settlements) {
        const bool again = one.made && one.state == DeliveryState::pending;
        if (again && !kept_.contains(one.delivery.seq)) fresh.push_back(&one);
    }
    if (fresh.empty()) return;
    Transaction change(main_.db());
    Statement put = main_.db().prepare("INSERT OR REPLACE INTO made_request VALUES (?1, ?2)");
    for (const Settlement* one : fresh) {
        const std::string row = std::to_string(one->delivery.seq);
        const std::string sealed = main_.vault().seal(row, "body", stored_text(*one->made));
        put.bind_one(1, static_cast<std::int64_t>(one->delivery.seq));
        put.bind_one(2, sealed);
        put.run();
    }
    change.commit();
    for (const Settlement* one : fresh) kept_.insert(one->delivery.seq);
}

std::shared_ptr<const MadeRequest> MadeRequests::find(std::uint64_t delivery) const {
    if (kept_.empty() || !kept_.contains(delivery)) return nullptr;
    Statement row = main_.db().prepare("SELECT body FROM made_request WHERE delivery = ?");
    row.bind(delivery);
    if (!row.step()) return nullptr;
    auto made =
        read_made_request(main_.vault().open(std::to_string(delivery), "body", row.text(0)));
    if (!made) throw Failure{Errc::internal, made.error().message, true};
    return std::make_shared<const MadeRequest>(std::move(*made));
}

void MadeRequests::forget(const std::vector<std::uint64_t>& deliveries) {
    if (deliveries.empty()) return;
    Transaction change(main_.db());
    Statement remove = main_.db().prepare("DELETE FROM made_request WHERE delivery = ?1");
    for (const std::uint64_t delivery : deliveries) {
        remove.bind_one(1, static_cast<std::int64_t>(delivery));
        remove.run();
    }
    change.commit();
    for (const std::uint64_t delivery : deliveries) kept_.erase(delivery);
}

}  // namespace herald::sqlite
