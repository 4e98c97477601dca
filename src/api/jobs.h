#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.h"

namespace herald {

/// Creates a job, or with `dry_run` says what it would do.
boost::asio::awaitable<Answer> create_job(const Call& call);
boost::asio::awaitable<Answer> list_jobs(const Call& call);
boost::asio::awaitable<Answer> get_job(const Call& call);
boost::asio::awaitable<Answer> pause_job(const Call& call);
boost::asio::awaitable<Answer> resume_job(const Call& call);
boost::asio::awaitable<Answer> cancel_job(const Call& call);

}  // namespace herald
