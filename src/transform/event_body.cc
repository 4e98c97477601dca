#include "transform/event_body.h"

namespace herald {

boost::asio::awaitable<Result<Body>> EventBody::apply(const Event& event,
                                                      const Webhook& /*webhook*/) {
    co_return Body{event.body};
}

}  // namespace herald
